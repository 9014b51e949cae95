"""I: What the workers of one node have counted, on the disk, so that whoever is asked answers for all.

    VAR_DIR/metrics/LIFE/WORKER.counts   a worker's, written anew about once a second, and before it answers a scrape
                        /WORKER.lock     held as long as the worker lives: the system lets go of it, whatever happens
                        /departed.counts what workers that are gone had counted, and which of them it holds already
                        /departed.lock   held to read all of it, or to move a worker's counts to the departed

LIFE is the process that started the workers: counters begin anew with it. A worker that finds files of a life that is
over removes them. Everything here may wait for the disk: it is for threads.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import IO, Final, NamedTuple, TypeVar

import orjson

from observability.metrics.samples import Part, Samples, from_lines, to_lines

FOLDER: Final = "metrics"
LINES: Final = ".counts"
LOCK: Final = ".lock"
DEPARTED: Final = "departed"
T = TypeVar("T")
_log: Final = logging.getLogger(__name__)


class Life(NamedTuple):
    """A process, told apart from a later one of the same number."""

    pid: int
    since: str

    @property
    def name(self) -> str:
        return f"{self.pid}-{self.since}"


def life_of(pid: int) -> Life | None:
    """Of a process that runs; None: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _life_without_proc(pid)
    except OSError:
        return None
    return Life(pid, stat.rpartition(")")[2].split()[19])


def _life_without_proc(pid: int) -> Life | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return Life(pid, "0")


class Shelf:
    """One worker's way to them. `open` before anything else; whatever cannot be used raises OSError."""

    def __init__(self, var_dir: Path, *, life: Life | None = None, name: str = "") -> None:
        self.name = name or f"{os.getpid()}-{token_hex(4)}"
        found = life or life_of(os.getppid()) or Life(os.getppid(), "0")
        self._root = var_dir / FOLDER
        self._folder = self._root / found.name
        self._own_lock: IO[bytes] | None = None
        self._turn = threading.Lock()
        self._has_left = False

    def open(self) -> None:
        """This worker is there, and files of lives that are over are not any more. Once is enough."""
        with self._turn:
            if self._own_lock is None and not self._has_left:
                self._open()

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self._path(DEPARTED, LOCK)):  # else somebody may find the file before it is held
            self._own_lock = _locked(self._path(self.name, LOCK))
        for folder in self._root.iterdir():
            pid, _, since = folder.name.partition("-")
            if folder != self._folder and pid.isdigit() and life_of(int(pid)) != Life(int(pid), since):
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """This worker counts no more. What it wrote is the departed's when somebody looks."""
        with self._turn:
            self._has_left = True
            if self._own_lock is not None:
                self._own_lock.close()
                self._own_lock = None

    def write(self, samples: Samples) -> None:
        """What this worker has counted, in place of what it wrote before."""
        if self._own_lock is not None:
            _replace(self._path(self.name, LINES), to_lines(samples))

    def publish(self, take: Callable[[], Samples]) -> Samples:
        """Writes what `take` gives. Of several threads the last that took is the last that wrote."""
        with self._turn:
            samples = take()
            self.write(samples)
        return samples

    def add_others(self, into: Samples) -> None:
        """What the other workers that live have counted, and those that are gone. Others wait while files are read, and
        not while their lines are."""
        with _locked(self._path(DEPARTED, LOCK)):
            found = deque([self._departed(into.rest)])
            for path in sorted(self._folder.glob(f"*{LINES}")):
                if path.stem not in (DEPARTED, self.name):
                    found.append(_lines(path, into.rest))
        while found:
            _add(into, found.popleft())

    def _departed(self, rest: Callable[[], object]) -> deque[bytes]:
        """Takes over what workers left behind. Once for each: whom it holds is written with what it holds."""
        path = self._path(DEPARTED, LINES)
        held, lines = _split(_lines(path, rest))
        gone = list(self._gone())
        new = [name for name in gone if name not in held]
        if new:
            departed = Samples(rest)
            _add(departed, lines)
            for name in new:
                _add(departed, _lines(self._path(name, LINES), rest), only_counts=True)
            lines = deque(to_lines(departed))
            departed.let_go()
            _replace(path, (orjson.dumps(gone) + b"\n", *lines))
        for name in gone:
            for ending in (LINES, LOCK):
                self._path(name, ending).unlink(missing_ok=True)
        return lines

    def _gone(self) -> Iterator[str]:
        for path in sorted(self._folder.glob(f"*{LOCK}")):
            if path.stem not in (DEPARTED, self.name) and _is_free(path):
                yield path.stem

    def _path(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}{ending}"


def _locked(path: Path) -> IO[bytes]:
    """Held until it is closed."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except BaseException:
        file.close()
        raise
    return file


def _is_free(path: Path) -> bool:
    try:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _replace(path: Path, lines: Iterable[bytes]) -> None:
    """In one step, so that nobody reads a part."""
    beside = path.with_suffix(".new")
    try:
        with beside.open("wb") as file:
            file.writelines(lines)
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _lines(path: Path, rest: Callable[[], object]) -> deque[bytes]:
    found: deque[bytes] = deque()
    try:
        with path.open("rb") as file:
            for line in file:  # `readlines` would be one long step of the interpreter
                found.append(line)
                rest()
    except FileNotFoundError:
        pass
    return found


def _split(lines: deque[bytes]) -> tuple[frozenset[str], deque[bytes]]:
    """Whom the departed's file holds, and what they had counted."""
    if not lines:
        return frozenset(), lines
    try:
        held = frozenset(orjson.loads(lines.popleft()))
    except (ValueError, TypeError) as error:
        _log.warning("what workers that are gone had counted cannot be read: %s", error)
        return frozenset(), deque()
    return held, lines


def _add(into: Samples, lines: deque[bytes], *, only_counts: bool = False) -> None:
    """All of a file or nothing: what cannot be read is as if it was not there. The lines are gone afterwards."""
    parts: deque[Part] = deque()
    try:
        for part in from_lines(_each(lines), only_counts=only_counts):
            parts.append(part)
            into.rest()
    except ValueError as error:
        _log.warning("what a worker has counted cannot be read: %s", error)
        return
    for name, rows in _each(parts):
        into.add_rows(name, rows)


def _each(found: deque[T]) -> Iterator[T]:
    """One after the other is let go: to free many at once is a long step of the interpreter."""
    while found:
        yield found.popleft()
