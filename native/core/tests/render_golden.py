"""Writes render_golden.tsv: how CPython renders values by `%` and by `format()`.

Columns: style (`%` or `{`), directive, kind of value (s, i, f), the value, the expected text. Of a float the digits
are given as the interpreter makes them for that directive, without sign padding or width. `!` expects an error, which
the core must leave to the interpreter. Run with any supported Python; the result is the same for 3.11 to 3.15.
"""

import itertools
import pathlib
import random

STRINGS = ["", "abc", "naïve", "日本語", "0123456789"]
INTEGERS = [0, 7, -42, 255, 1234567, -(2**63), 2**63 - 1]
FLOATS = [0.0, -1.5, 3.14159265, 1e17, 123.456, float("inf"), float("nan")]


def percent_directives():
    for flags, width, precision, code in itertools.product(
        ["", "-", "0", "+", " ", "#", "-0", "+0", "#0"], ["", "6", "12"], ["", ".", ".2"], "srdioxXeFg"
    ):
        # A float is written around digits that know the alternate form and the precision, and nothing else.
        inner = ("#" if "#" in flags else "") + precision
        yield flags + width + precision + code, inner + code


def brace_directives():
    for align, sign, zero, width, group, precision, code in itertools.product(
        ["", "<", "*^", "é>", "=", "0="],
        ["", "+", "-"],
        ["", "#", "0"],
        ["", "9"],
        ["", ",", "_"],
        ["", ".2"],
        ["", *"sdXbeg"],
    ):
        inner = ("#" if zero == "#" else "") + precision + code
        yield align + sign + zero + width + group + precision + code, inner


def row(style, directive, inner, value):
    def render(spec):
        return ("%" + spec) % (value,) if style == "%" else format(value, spec)

    try:
        text = render(directive)
    except (TypeError, ValueError):
        text = "!"
    shown = value
    if isinstance(value, float):
        try:
            shown = render(inner)
        except (TypeError, ValueError, OverflowError):
            shown = repr(value)
    return [style, directive, type(value).__name__[0], str(shown), text]


def main():
    chosen = random.Random(20)  # noqa: S311 - a fixed sample, the same on every run
    directives = [("%", *pair) for pair in percent_directives()] + [("{", *pair) for pair in brace_directives()]
    rows = []
    for style, directive, inner in chosen.sample(directives, 450):
        for values in (STRINGS, INTEGERS, FLOATS):
            value = chosen.choice(values)
            code = directive[-1:]
            if isinstance(value, float) and style == "%" and code in "dioxX":
                continue  # truncated or refused: the core is not asked for digits
            if isinstance(value, str) and style == "%" and code == "r":
                continue  # the core gets the result of repr()
            if isinstance(value, int) and code in ("e", "F", "g"):
                value = float(value)
            rows.append("\t".join(row(style, directive, inner, value)))
    pathlib.Path(__file__).with_suffix(".tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
