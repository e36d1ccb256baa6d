"""How a number comes about: one loop per scenario and side, timed by turns, the empty loop subtracted, the sink checked.

Turns are short, so that on a busy machine some of them run undisturbed; what is subtracted is the least empty loop.
The stdlib's turns before femtolog is imported count as well as those between its installations: an interpreter that has
once seen a function's entry changed may not specialise calls of it again, and the stdlib shall not be slower for our sake.
"""

import gc
import importlib
import itertools
import pathlib
import re
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

SIDES = ("stdlib", "picologging", "femtolog")
STRETCH = 0.004  # seconds a turn takes
SAME = 1.05  # times as long as the stdlib: as much may two turns of the same code differ, which some of femtolog's methods keep


class Stream:
    """A stream written in Python, as programs have them: keeps what it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)

    def flush(self) -> None:
        pass

    def take(self) -> list[str]:
        taken, self.texts = self.texts, []
        return taken


class File:
    """A file that a handler writes; emptied each time it is read."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def take(self) -> list[str]:
        texts = self.path.read_text().splitlines(keepends=True)
        with self.path.open("r+b") as opened:
            opened.truncate()
        return texts


@dataclass
class Bench:
    """What a scenario's `prepare` works with, and what it answers with."""

    logging: ModuleType  # the side's module, and its `handlers`
    handlers: ModuleType
    name: str  # of a logger nobody else uses
    folder: pathlib.Path
    side: str
    # To be set: the names that `statement` uses, and a function that takes all the lines out of the sink.
    names: dict[str, Any] = field(default_factory=dict)
    take: Callable[[], list[str]] | None = None
    each: list[dict[str, Any]] = field(default_factory=list)  # names that are different ones in each thread
    during: Callable[[], AbstractContextManager[Any]] = nullcontext  # what holds in this scenario's turns and in no other's
    finish: Callable[[], object] | None = None  # what ends each turn, and is timed with it
    burst: int = 0  # statements at a time; 0: a whole turn
    between: Callable[[], object] = lambda: None  # what follows each burst, and is not timed

    def logger(self, *handlers: Any, level: int = 10, below: str = "") -> Any:
        """A logger that hands its records to `handlers` and nobody else."""
        log = self.logging.getLogger(self.name + below)
        log.setLevel(level)
        log.propagate = False
        for handler in handlers:
            log.addHandler(handler)
        return log

    def stream_handler(self, form: str = "%(levelname)s %(message)s", **formatter: Any) -> Any:
        """A handler that writes to a Python stream, which becomes this scenario's sink."""
        stream = Stream()
        self.take = stream.take
        self.names["write"], self.names["flush"] = stream.write, stream.flush
        handler = self.logging.StreamHandler(stream)
        handler.setFormatter(self.logging.Formatter(form, **formatter))
        return handler

    def file(self) -> str:
        """The path of a new file, which becomes this scenario's sink."""
        path = self.folder / "app.log"
        path.touch()
        self.take = File(path).take
        return str(path)

    def files(self, number: int) -> list[str]:
        """The paths of new files, each of them written with one line, its own; together they become this scenario's sink."""
        paths = [self.folder / f"app-{index}.log" for index in range(number)]
        for path in paths:
            path.touch()

        def take() -> list[str]:
            taken = [File(path).take() for path in paths]
            if len({len(lines) for lines in taken}) > 1:
                raise AssertionError(f"{' and '.join(str(len(lines)) for lines in taken)} lines in files that hold as many each")
            if any(len(set(lines)) > 1 for lines in taken) or len({lines[0] for lines in taken if lines}) not in (0, number):
                raise AssertionError("lines in another thread's file")
            return [line for lines in taken for line in lines]

        self.take = take
        return [str(path) for path in paths]


@dataclass(frozen=True)
class Scenario:
    """One thing programs do with logging."""

    name: str
    statement: str  # timed; the names in it are those `prepare` sets
    prepare: Callable[[Bench], None]
    expect: str = ""  # a regular expression for every line that must be in the sink; empty: nothing is written
    alone: str = ""  # what no logger can leave out, timed beside the sides: the sink's own work, the program's own code
    threads: int = 0  # that run the statement at the same time; 0: the main thread does
    above: int = 0  # lines of the function before the loop
    group: str = ""  # what is the same but for the number of threads: shown as calls a second, side by side
    picologging: str = ""  # why it cannot take part
    control: bool = False  # no logging is done: what the machine allows
    apart: bool = False  # each turn in a fresh process of the side's own


class Turns:
    """What a scenario took on one side."""

    def __init__(self) -> None:
        self.raw: list[float] = []  # nanoseconds per statement, the loop included
        self.empties: list[float] = []  # nanoseconds per round of the empty loop
        self.checks = self.lines = 0  # how often the sink was looked at, and what was found in it

    @property
    def turns(self) -> list[float]:
        """Nanoseconds per statement in each turn."""
        loop = min(self.empties)
        return [number - loop for number in self.raw]


class Lane(Turns):
    """A scenario on one side: its objects and its own compiled loop, since the interpreter specialises code where it stands."""

    def __init__(self, scenario: Scenario, bench: Bench, statement: str, expect: str, stretch: float = STRETCH) -> None:
        super().__init__()
        self.scenario, self.bench, self.expect = scenario, bench, expect
        # With threads a turn lasts through several of the interpreter's switch intervals (5 ms), or they would run one by one.
        self.stretch = stretch * (10 if scenario.threads else 1)
        each = bench.each or [{}] * max(1, scenario.threads)
        self.loops = compiled(statement, [bench.names | names for names in each], scenario.above)
        self.empty = compiled("pass", [bench.names | each[0]], scenario.above)
        self.count = 50 * len(self.loops)  # statements in a turn
        self.written = 0  # statements in the loop that ran last

    def calibrate(self) -> None:
        """Find how many statements fill a turn."""
        with self.bench.during():
            while True:
                spent = self._timed(self.loops, self.bench.finish)
                self.check(self.written)
                if spent > self.stretch / 2 or self.count >= 1_000_000:
                    return
                self.count *= 2 if spent > self.stretch / 8 else 8

    def turn(self) -> None:
        """Warm up, time, check."""
        with self.bench.during():
            count, self.count = self.count, max(64 * len(self.loops), self.count // 16)
            self._timed(self.loops, self.bench.finish)
            self.check(self.written)
            self.count = count
            empty = 0.0 if self.scenario.threads else self._timed(self.empty)
            spent = self._timed(self.loops, self.bench.finish)
            self.check(self.written)
        self.raw.append(spent / self.written * 1e9)
        self.empties.append(empty / self.written * 1e9)

    def forget(self) -> None:
        """Leave out the turns so far: they were for warming up."""
        self.raw.clear()
        self.empties.clear()

    def _timed(self, loops: list[Callable[[Any], None]], finish: Callable[[], object] | None = None) -> float:
        each = self.count // len(loops)
        self.written = each * len(loops)
        gc.disable()
        try:
            if self.scenario.threads:
                turns = [itertools.repeat(None, each) for _ in loops]
                return _timed_in_threads(loops, turns, finish)
            spent, left = 0.0, each
            while left > 0:
                turn = itertools.repeat(None, min(left, self.bench.burst or left))
                left -= self.bench.burst or left
                began = time.perf_counter()
                loops[0](turn)
                if finish is not None:
                    finish()
                spent += time.perf_counter() - began
                self.bench.between()
            return spent
        finally:
            gc.enable()

    def check(self, count: int) -> None:
        """The sink must hold exactly the records of the loop that ran last. Raises AssertionError."""
        if self.bench.take is None:
            return
        lines = self.bench.take()
        self.checks += 1
        self.lines += len(lines)
        expected = count if self.expect else 0
        if len(lines) != expected:
            raise AssertionError(f"{len(lines)} lines in the sink, not {expected}")
        for line in set(lines):
            if not re.fullmatch(self.expect, line, re.DOTALL):
                raise AssertionError(f"wrote {line.splitlines()[0]!a}")


def compiled(statement: str, names: list[dict[str, Any]], above: int = 0) -> list[Callable[[Any], None]]:
    """Functions that run `statement` for each item they are given, one for each `names`, which are local variables in it.

    They share their code, as the threads of a program do. The lines `above` are never run: they only make the function long.
    """
    long = "    if turns is None:\n" + (above - 1) * "        print(turns)\n" if above else ""
    source = f"def loop(turns, {', '.join(names[0])}):\n{long}    for _ in turns:\n        {statement}\n"
    made: dict[str, Any] = {}
    exec(source, made)
    function = made["loop"]

    def with_values(values: tuple[Any, ...]) -> Callable[[Any], None]:
        return lambda turns: function(turns, *values)

    return [with_values(tuple(own.values())) for own in names]


def _timed_in_threads(loops: list[Callable[[Any], None]], turns: list[Any], finish: Callable[[], object] | None) -> float:
    """Seconds from the first thread's first statement until the last one's last, or until `finish` is done then.

    Not the main thread's clock: it may be woken long after the others have begun.
    """
    start = threading.Barrier(len(loops))
    began, ended = [0.0] * len(loops), [0.0] * len(loops)

    def run(index: int) -> None:
        start.wait()
        began[index] = time.perf_counter()
        loops[index](turns[index])
        ended[index] = time.perf_counter()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(loops))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if finish is not None:
        finish()
        ended.append(time.perf_counter())
    return max(ended) - min(began)


def modules(side: str) -> tuple[ModuleType, ModuleType]:
    """The side's `logging` and its `handlers`."""
    name = "picologging" if side == "picologging" else "logging"
    return importlib.import_module(name), importlib.import_module(f"{name}.handlers")


def prepared(scenario: Scenario, side: str, number: int, place: pathlib.Path, stretch: float) -> Lane:
    """The scenario's objects on that side, which must be in force, and its loop, run once."""
    folder = place / f"{side}-{number}"
    folder.mkdir()
    bench = Bench(*modules(side), f"benches.{side}.{number}", folder, side)
    scenario.prepare(bench)
    lane = Lane(scenario, bench, scenario.statement, scenario.expect, stretch)
    lane.calibrate()
    lane.turn()
    lane.forget()
    return lane


class Measurement:
    """All lanes of a run, and which side's turn it is."""

    def __init__(
        self,
        scenarios: list[Scenario],
        sides: tuple[str, ...],
        stretch: float = STRETCH,
    ) -> None:
        self.scenarios, self.sides, self._stretch = scenarios, sides, stretch
        self.lanes: dict[tuple[str, str], Turns] = {}
        self.alone: dict[str, Lane] = {}
        self.reasons: dict[tuple[str, str], str] = {}
        self._place = tempfile.TemporaryDirectory()

    def close(self) -> None:
        self._place.cleanup()

    def prepare(self, side: str) -> None:
        """Make the side's objects, with that side in force."""
        for number, scenario in enumerate(self.scenarios):
            key = scenario.name, side
            if scenario.apart:
                self.lanes[key] = Turns()
                continue
            if side == "picologging" and scenario.picologging:
                self.reasons[key] = scenario.picologging
                continue
            try:
                lane = prepared(scenario, side, number, pathlib.Path(self._place.name), self._stretch)
            except Exception as error:
                self._leave_out(key, error)
                continue
            self.lanes[key] = lane
            if side == "stdlib" and scenario.alone:
                expect = ".*" if scenario.expect else ""
                alone = self.alone[scenario.name] = Lane(scenario, lane.bench, scenario.alone, expect, self._stretch)
                alone.calibrate()

    def _leave_out(self, key: tuple[str, str], error: Exception) -> None:
        """Only picologging may fail to do what was asked; then the reason takes the place of its numbers."""
        scenario, side = key
        if side != "picologging":
            raise RuntimeError(f"{scenario} on {side}") from error
        self.lanes.pop(key, None)
        self.reasons[key] = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"

    def slower(self) -> list[str]:
        """The scenarios in which femtolog's least turn is longer than the stdlib's, by more than the same code may: there must be none."""
        names = [scenario.name for scenario in self.scenarios if not scenario.control]
        least = {name: [min(self.lanes[name, side].turns) for side in ("stdlib", "femtolog")] for name in names}
        return [name for name, (stdlib, femtolog) in least.items() if femtolog > stdlib * SAME]

    def turn(self, side: str, only: list[str] | None = None) -> None:
        """Time each scenario once, or `only` some, with that side in force."""
        for scenario in self.scenarios:
            lane = self.lanes.get((scenario.name, side))
            if not isinstance(lane, Lane) or (only is not None and scenario.name not in only):
                continue
            try:
                lane.turn()
            except AssertionError as error:
                self._leave_out((scenario.name, side), error)
            if side == "stdlib" and scenario.name in self.alone:
                self.alone[scenario.name].turn()

    def turn_apart(self, side: str, only: list[str] | None = None) -> None:
        """The same for those whose turns take place in processes of their own."""
        from benches import apart

        asked = [scenario for scenario in self.scenarios if scenario.apart and (scenario.name, side) in self.lanes]
        asked = [scenario for scenario in asked if only is None or scenario.name in only]
        if not asked:
            return
        for name, numbers in apart.turn(side, asked, self._stretch).items():
            if "reason" in numbers:
                del self.lanes[name, side]
                self.reasons[name, side] = numbers["reason"]
                continue
            lane = self.lanes[name, side]
            lane.raw += numbers["raw"]
            lane.empties += numbers["empties"]
            lane.checks += numbers["checks"]
            lane.lines += numbers["lines"]
