"""`python -m femtolog.demo`, the first command of the README: both sides write the same, and it says so."""

import re

from femtolog import demo


def test_both_sides_write_the_same_and_are_timed(monkeypatch, capsys):
    monkeypatch.setattr(demo, "ROUNDS", 1)
    monkeypatch.setenv("FEMTOLOG", "1")  # is not handed on: the program says itself which side it is
    assert demo.compare() == 0
    told = capsys.readouterr().out
    assert re.search(r"^The stdlib wrote the same \d{3,} lines\.$", told, re.MULTILINE)
    # The time without logging is taken off: on a busy machine less than nothing may be left.
    assert re.search(r"^  logging +-?[\d.]+ s +-?[\d.]+ µs a record\n  femtolog +-?[\d.]+ s", told, re.MULTILINE)
    assert re.search(r"^femtolog.stats\(\): \{'native': \d{3,}, ", told, re.MULTILINE)
