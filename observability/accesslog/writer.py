"""I: The access log: lines of JSON to a file or to standard output, from a thread of its own.

    recorder ──▶ take ──▶ queue (bounded) ──▶ thread: lines ──▶ file

The event loop hands records over and never waits. When the disk is full or nobody reads the pipe, the queue fills, and
what does not fit is dropped and counted. A file that was moved or removed is opened anew within a second.
"""

import contextlib
import logging
import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from observability.accesslog.line import Rules, is_wanted, line_of, refused_line
from observability.traffic.recorder import Batch
from resilience.clock import monotonic, wall_clock

MOST_WAITING: Final = 20_000
ROUND_S: Final = 1.0
"""How often the file is looked at, and how long after a failure it is tried again."""
GOODBYE_S: Final = 2.0
"""How long the last lines may take at the end of the process."""
PIPE_BYTES: Final = 4096
"""Written to a pipe in one step, so that lines of several workers do not mix (PIPE_BUF of Linux)."""
FILE_BYTES: Final = 64 * 1024
STDOUT: Final = "stdout"
_log: Final = logging.getLogger(__name__)


class AccessLog:
    """A sink of the recorder. `where` is `stdout` or a file's name."""

    def __init__(
        self,
        where: str,
        rules: Rules,
        *,
        most: int = MOST_WAITING,
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self._output = _Output(None if where == STDOUT else Path(where), clock)
        self._rules = rules
        self._most = most
        self._wall = wall
        self._waiting: deque[Batch | bytes] = deque()
        self._number = 0
        self._changed = threading.Condition()
        self._is_ending = False
        self._thread: threading.Thread | None = None
        self._full = 0

    @property
    def dropped(self) -> int:
        """Lines that nobody will read."""
        return self._full + self._output.lost

    def take(self, batch: Batch) -> None:
        """Requests that are over."""
        self._put(batch, len(batch.records))

    def refused(self, client: str, status: int, code: str, request_id: str) -> None:
        """The server refused a request before there was anything to route."""
        line = refused_line(self._wall(), client=client, status=status, code=code, request_id=request_id)
        self._put(line, 1)

    def start(self) -> None:
        """Begins to write."""
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, in bounded time. For a thread."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(GOODBYE_S)
            self._thread = None

    def _put(self, what: Batch | bytes, number: int) -> None:
        with self._changed:
            if self._number + number > self._most:
                self._full += number
                return
            self._number += number
            self._waiting.append(what)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._is_ending:
                    self._changed.wait(ROUND_S)
                if not self._waiting and self._is_ending:
                    break
                what = self._waiting.popleft() if self._waiting else None
            self._output.look()
            if what is not None:
                self._write(what)
        self._output.close()

    def _write(self, what: Batch | bytes) -> None:
        """Nothing may end the thread."""
        lines = [what] if isinstance(what, bytes) else list(self._lines(what))
        self._output.write(lines)
        with self._changed:
            self._number -= 1 if isinstance(what, bytes) else len(what.records)

    def _lines(self, batch: Batch) -> Iterator[bytes]:
        rules = self._rules
        for record in batch.records:
            if is_wanted(record, rules):
                try:
                    yield line_of(record, rules, batch.offset_s)
                except Exception:
                    self._output.lost += 1
                    _log.exception("a request could not be written down")


class _Output:
    """The file. Only the thread writes to it."""

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._file = -1
        self._most = FILE_BYTES
        self._look_at = 0.0
        self._is_torn = False
        self._is_failing = False
        self.lost = 0

    def look(self) -> None:
        """Opens it, also where it is another one by now."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + ROUND_S
        try:
            if self._file >= 0 and self._path is not None and not self._is_same(self._path):
                self.close()
            if self._file < 0:
                self._open()
        except OSError as error:
            self._fail(error)

    def write(self, lines: Iterable[bytes]) -> None:
        """All of them, or they are counted."""
        for number, chunk in _chunks(lines, self._most):
            if self._file < 0 or not self._written(chunk):
                self.lost += number

    def close(self) -> None:
        if self._file >= 0 and self._path is not None:
            os.close(self._file)
        self._file = -1

    def _open(self) -> None:
        if self._path is None:
            self._file = 1
        else:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._most = PIPE_BYTES if stat.S_ISFIFO(os.fstat(self._file).st_mode) else FILE_BYTES

    def _is_same(self, path: Path) -> bool:
        with contextlib.suppress(FileNotFoundError):
            own, there = os.fstat(self._file), path.stat()
            return (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino)
        return False

    def _written(self, chunk: bytes) -> bool:
        if self._is_torn:
            chunk = b"\n" + chunk
        view, sent = memoryview(chunk), 0
        try:
            while sent < len(view):
                sent += os.write(self._file, view[sent:])
        except OSError as error:
            self._is_torn = self._is_torn or sent > 0
            self._fail(error)
            return False
        self._is_torn = self._is_failing = False
        return True

    def _fail(self, error: OSError) -> None:
        if not self._is_failing:
            _log.warning("the access log cannot be written: %s", error.strerror or error)
        self._is_failing = True


def _chunks(lines: Iterable[bytes], most: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines, as many as go into one step."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and size + len(line) > most:
            yield len(held), b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield len(held), b"".join(held)
