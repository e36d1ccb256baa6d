"""Runs CPython's own logging tests on the stdlib and on femtolog, and compares.

    python tests/cpython_logging_suite [--extended] [--file test_logging] [--way early] [--timeout 120] [--jobs 2]

Each file runs three times, each time in fresh processes: on the plain stdlib, on femtolog through the import hook (early), and on
femtolog bound in place (late). It holds when the same ids pass and the same ids skip. An id that fails on the stdlib itself on
this machine (no network, no locale) has to fail in the same way. Exit status 0 if all hold.
"""

import argparse
import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import compare
import plan
import run


def arguments():
    parser = argparse.ArgumentParser(prog="cpython_logging_suite", description=__doc__.split("\n\n")[0])
    parser.add_argument("--extended", action="store_true", help="the other files whole, not only what checks logging")
    parser.add_argument("--file", action="append", help="only this file (repeat for more)")
    parser.add_argument("--way", action="append", choices=run.WAYS, help="only this way to install femtolog")
    parser.add_argument("--timeout", type=float, default=120, help="seconds one test class may take")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="runs at the same time")
    return parser.parse_args()


def main():
    options = arguments()
    files, missing = plan.files(options.extended)
    if "test_logging" in missing:
        sys.exit(plan.what_to_install())
    if options.file:
        files = [file for file in files if file.name in options.file]
    print(f"Python {sys.version.split()[0]}: {', '.join(file.name for file in files)}", flush=True)
    for name in missing:
        print(f"  {name}: this interpreter does not ship it")
    print(f"  fresh interpreters under FEMTOLOG=1 run on {run.fresh_interpreter()}", flush=True)

    modes = [run.WAYS[way] for way in options.way or run.WAYS]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {
            (file.name, mode): pool.submit(run.run, file.modules, mode, options.timeout)
            for file in files
            for mode in ("stdlib", *modes)
        }
        for file in files:
            stdlib = runs[file.name, "stdlib"].result()
            for mode in modes:
                report = compare.compare(file, stdlib, runs[file.name, mode].result(), mode, options.timeout)
                print(report.text, flush=True)
                passed += report.passed
                failed += report.failed
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
