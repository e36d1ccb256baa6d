"""Delivery that can be proved: Numbering counts the records that go to a handler, and verify() tells at the other end which are missing.

Handlers that send to a peer number what they send by themselves, with `numbered=True`: native/py/src/socket.rs.

The handler's account says what became of each record as far as this process knows; the numbers say it of everything between here and the
file or server where the records end.
"""

from __future__ import annotations

import argparse
import bisect
import dataclasses
import itertools
import json
import logging
import os
import re
import sys
import weakref

from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, NoReturn

__all__ = ["Delivery", "Numbering", "verify"]

_NESTED = ("key_values", "extra", "extras", "attributes", "fields")
"""Where records that are JSON may have what was given as `extra`."""

_WORD = re.compile(r"\b(seq|boot_id)[=:]\s*\"?(\w+)")
_SEQ = re.compile(r"0*[1-9][0-9]{0,19}")
_BOOT_ID = re.compile(r"\w{1,64}", re.ASCII)

_numberings: weakref.WeakSet[Numbering] = weakref.WeakSet()


class Numbering(logging.Filter):
    """A filter that lets everything pass and sets `record.seq`, counted from 1, and `record.boot_id`, one for each process and filter.

    To be the last filter of one handler: what a filter before it, or the handler's level, holds back gets no number, and what is lost behind
    it leaves a gap. Whatever writes the attributes of records takes both along: FemtoSocketHandler in `key_values`, and so its spool; any
    formatter with `%(boot_id)s` and `%(seq)d`. A record that comes to the filter twice keeps its number. A forked child counts anew, under
    another `boot_id`. From any thread.

    Examples:
        >>> import io, logging
        >>> from femtolog.delivery import Numbering, verify
        >>> log, handler = logging.Logger("shop"), logging.StreamHandler(io.StringIO())
        >>> handler.setFormatter(logging.Formatter("boot_id=%(boot_id)s seq=%(seq)d %(message)s"))
        >>> handler.addFilter(Numbering())
        >>> log.addHandler(handler)
        >>> for number in range(5):
        ...     log.warning("order %d", number)
        >>> lines = handler.stream.getvalue().splitlines()
        >>> [delivery.missing for delivery in verify(lines)]
        [[]]
        >>> [delivery.missing for delivery in verify(lines[:2] + lines[3:])]
        [[(3, 3)]]
    """

    boot_id: str
    """Sixteen digits; of this process."""

    def __init__(self) -> None:
        super().__init__()
        self._begin()
        _numberings.add(self)

    def _begin(self) -> None:
        self.boot_id = os.urandom(8).hex()
        self._numbers = itertools.count(1)  # whose next() no thread or signal handler can interrupt

    @property
    def last(self) -> int:
        """The last number that was given; 0: none was."""
        return int(repr(self._numbers).removeprefix("count(").removesuffix(")")) - 1

    def filter(self, record: logging.LogRecord) -> bool:
        """Numbers the record."""
        if vars(record).get("boot_id") != self.boot_id:
            record.boot_id, record.seq = self.boot_id, next(self._numbers)
        return True


def _in_child() -> None:
    for numbering in list(_numberings):
        numbering._begin()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


@dataclasses.dataclass
class Delivery:
    """What has arrived under one `boot_id`. As a str it is a line of `python -m femtolog verify`.

    Examples:
        >>> from femtolog.delivery import verify
        >>> (delivery,) = verify(['{"boot_id": "feed", "seq": 1}', '{"boot_id": "feed", "seq": 4}'])
        >>> delivery
        Delivery(boot_id='feed', records=2, last=4, missing=[(2, 3)], twice=[], late=[])
        >>> str(delivery)
        'feed: 2 records, 1 to 4, 2 missing: 2 to 3'
    """

    boot_id: str
    records: int
    """How many, those that came twice counted twice."""
    last: int
    """The greatest number; or what verify() was told is."""
    missing: list[tuple[int, int]]
    """First and last number of each gap, from 1 to `last`."""
    twice: list[int]
    """Numbers that came more than once, each as often as it came again. A peer that is away while it takes a record may get it again."""
    late: list[int]
    """Numbers that came for the first time behind a greater one. Those that `numbered=True` gives come in order unless something changed it."""

    @property
    def is_complete(self) -> bool:
        """Is none missing?"""
        return not self.missing

    def __str__(self) -> str:
        text = f"{self.boot_id}: {self.records} record{'s' * (self.records != 1)}, 1 to {self.last}"
        if self.missing:
            count = sum(last - first + 1 for first, last in self.missing)
            text += f", {count} missing: {_some([f'{a}' if a == b else f'{a} to {b}' for a, b in self.missing])}"
        else:
            text += ", none missing"
        if self.twice:
            text += f", {len(self.twice)} again: {_some([str(number) for number in self.twice])}"
        if self.late:
            text += f", {len(self.late)} late: {_some([str(number) for number in self.late])}"
        return text


def _some(texts: list[str], most: int = 10) -> str:
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


class _Seen:
    """Numbers, as ranges: of what arrives nearly in order there are few."""

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.lasts: list[int] = []
        self.records = 0
        self.twice: list[int] = []
        self.late: list[int] = []

    def add(self, number: int) -> None:
        self.records += 1
        at = bisect.bisect_right(self.firsts, number) - 1  # the range that begins at or before it
        if at >= 0 and number <= self.lasts[at]:
            self.twice.append(number)
            return
        if at + 1 < len(self.firsts):
            self.late.append(number)
        grows = at >= 0 and self.lasts[at] == number - 1
        meets = at + 1 < len(self.firsts) and self.firsts[at + 1] == number + 1
        if grows and meets:
            self.lasts[at] = self.lasts.pop(at + 1)
            del self.firsts[at + 1]
        elif grows:
            self.lasts[at] = number
        elif meets:
            self.firsts[at + 1] = number
        else:
            self.firsts.insert(at + 1, number)
            self.lasts.insert(at + 1, number)

    def gaps(self, until: int) -> Iterator[tuple[int, int]]:
        before = 0
        for first, last in [*zip(self.firsts, self.lasts, strict=True), (until + 1, until + 1)]:
            if first > before + 1:
                yield before + 1, first - 1
            before = max(before, last)


def verify(lines: Iterable[str | bytes], last: dict[str, int] | None = None) -> list[Delivery]:
    """What the lines of a log tell of the records that Numbering has numbered, for each `boot_id` in the order of their first records.

    A line is a JSON object with `boot_id` and `seq`, its own or in its `key_values`, `extra`, `extras`, `attributes` or `fields`; a JSON array
    of such objects; or any text with `boot_id=…` and `seq=…`. Other lines are passed over. The numbers may be in any order. What is missing
    behind the last number that arrived nobody can see here: `last` may say for a `boot_id` what Numbering.last was. ConfigurationError,
    which is a ValueError, for a number there that is not positive.

    Examples:
        >>> from femtolog.delivery import verify
        >>> [str(delivery) for delivery in verify(["boot_id=feed seq=2 m", "boot_id=feed seq=1 m"], last={"feed": 3})]
        ['feed: 2 records, 1 to 3, 1 missing: 3, 1 late: 1']
    """
    seen: dict[str, _Seen] = {}
    for line in lines:
        for boot_id, number in _numbers_in(line if isinstance(line, str) else line.decode("utf-8", "replace")):
            seen.setdefault(boot_id, _Seen()).add(number)
    for boot_id, number in (last or {}).items():
        if number < 1:
            raise ConfigurationError(f"last must be at least 1, got {number} for {boot_id}")
        seen.setdefault(boot_id, _Seen())
    told = []
    for boot_id, one in seen.items():
        until = max([*one.lasts[-1:], (last or {}).get(boot_id, 0)])
        told.append(Delivery(boot_id, one.records, until, list(one.gaps(until)), one.twice, one.late))
    return told


def _numbers_in(line: str) -> Iterator[tuple[str, int]]:
    if "boot_id" not in line:
        return
    text = line.strip()
    if text[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):  # anybody may have written it
            pass
        else:
            for one in value if isinstance(value, list) else [value]:
                yield from _numbers_of(one)
            return
    words = dict(_WORD.findall(text))
    yield from _number(words.get("boot_id"), words.get("seq"))


def _numbers_of(value: Any) -> Iterator[tuple[str, int]]:
    if not isinstance(value, dict):
        return
    for place in (value, *(value.get(name) for name in _NESTED)):
        if isinstance(place, dict) and "boot_id" in place:
            yield from _number(place["boot_id"], place.get("seq"))
            return


def _number(boot_id: object, seq: object) -> Iterator[tuple[str, int]]:
    if isinstance(seq, int | str) and isinstance(boot_id, str) and _BOOT_ID.fullmatch(boot_id) and _SEQ.fullmatch(str(seq)):
        yield boot_id, int(seq)


def main(arguments: list[str]) -> NoReturn:
    """Print what has arrived; exit with 0 if nothing is missing (or late, if order is wanted), 1 if something is, 2 without any numbers."""
    parser = argparse.ArgumentParser(
        prog="python -m femtolog verify",
        description="Say which records, numbered by femtolog.delivery.Numbering or a handler with numbered=True, are missing in logs.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="lines of JSON, or of text with boot_id=… and seq=…; - for standard input"
    )
    parser.add_argument(
        "--last", metavar="BOOT_ID=N", action="append", default=[], type=_last, help="what the sender's Numbering.last was"
    )
    parser.add_argument("--in-order", action="store_true", help="exit with 1 if a number came behind a greater one, too")
    options = parser.parse_args(arguments)
    try:
        deliveries = verify(itertools.chain.from_iterable(map(_lines, options.files)), dict(options.last))
    except OSError as error:
        sys.exit(f"femtolog verify: {error}")
    for delivery in deliveries:
        sys.stdout.write(f"{delivery}\n")
    if not deliveries:
        sys.stderr.write("femtolog verify: no line has boot_id and seq\n")
        sys.exit(2)
    wrong = any(not delivery.is_complete or (options.in_order and delivery.late) for delivery in deliveries)
    sys.exit(1 if wrong else 0)


def _lines(path: str) -> Iterator[bytes]:
    if path == "-":
        yield from sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield from file


def _last(text: str) -> tuple[str, int]:
    boot_id, _, number = text.partition("=")
    if not _BOOT_ID.fullmatch(boot_id) or not _SEQ.fullmatch(number):
        raise argparse.ArgumentTypeError(f"not BOOT_ID=N with N from 1 on: {text!r}")
    return boot_id, int(number)
