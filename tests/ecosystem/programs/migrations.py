"""picologging and LogXide themselves: what the tables of the pages for those who come from them say they print."""
# requires: pytest==9.2.0
# requires: picologging==0.9.3 ; python_version < "3.13"
# requires: logxide==0.3.0 ; python_version >= "3.12"
# snippet: migrate-from-logxide.md before.py
# snippet: migrate-from-picologging.md before.py
# mask: in [\d.]+s => in ?s

import os
import pathlib
import subprocess
import sys

tests = pathlib.Path(os.environ["PYTHONPATH"].partition(os.pathsep)[0]).parent
environment = {name: value for name, value in os.environ.items() if not name.startswith(("FEMTOLOG", "PYTHONPATH"))}
options = ["-p", "no:cacheprovider", "--noconftest", "-c", os.devnull, "-rs", "--color=no", "-q", "-k", "lines_print"]
command = [sys.executable, "-P", "-m", "pytest", *options, tests / "test_docs.py"]
done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
print(done.stdout)
sys.exit(done.returncode)
