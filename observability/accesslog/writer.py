"""I: The access log: lines of JSON to a file or to standard output, from a thread of its own.

    recorder ──▶ see: lines ──▶ take: queue (bounded) ──▶ thread ──▶ file

The event loop makes the lines soon after their answers, hands over many at a time, and never waits. When the disk is
full or nobody reads the pipe, the queue fills, and what does not fit is dropped and counted. A file that was moved or
removed is opened anew within a second.
"""

import contextlib
import logging
import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from observability.accesslog.line import Lines, Rules, refused_line
from observability.traffic.alikes import Seen
from observability.traffic.recorder import Batch
from resilience.clock import monotonic, wall_clock

MOST_WAITING: Final = 20_000
ROUND_S: Final = 1.0
"""How often the file is looked at, and how long after a failure it is tried again."""
GOODBYE_S: Final = 2.0
"""How long the last lines may take at the end of the process."""
PIPE_BYTES: Final = 4096
"""Written to a pipe in one step, so that lines of several workers do not mix (PIPE_BUF of Linux)."""
FILE_BYTES: Final = 2**20
STDOUT: Final = "stdout"
_log: Final = logging.getLogger(__name__)


class AccessLog:
    """A watcher of the recorder, which makes the lines, and a sink, which hands them over. `where` is `stdout` or a
    file's name."""

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
        self._lines = Lines(rules)
        self._most = most
        self._wall = wall
        self._made: list[bytes] = []
        """Lines that the thread does not have yet."""
        self._waiting: deque[list[bytes]] = deque()
        self._number = 0
        """Of lines that were handed over, and are not written yet."""
        self._changed = threading.Condition()
        self._is_ending = False
        self._thread: threading.Thread | None = None
        self._lost = 0

    @property
    def dropped(self) -> int:
        """Lines that nobody will read."""
        return self._lost + self._output.lost

    def see(self, seen: Seen) -> None:
        """Requests that are over."""
        line_of, offset_s, made = self._lines.of, seen.offset_s, self._made
        for exchange, alike in zip(seen.exchanges, seen.alikes, strict=True):
            try:
                line = line_of(exchange, alike, offset_s)
            except Exception:
                self._lost += 1
                _log.exception("a request could not be written down")
                continue
            if line is not None:
                made.append(line)
        self._bound()

    def refused(self, client: str, status: int, code: str, request_id: str) -> None:
        """The server refused a request before there was anything to route."""
        line = refused_line(self._wall(), client=client, status=status, code=code, request_id=request_id)
        self._made.append(line)
        self._bound()
        self.take()

    def _bound(self) -> None:
        """The newest are left out: what waits is on its way to the file."""
        over = len(self._made) + self._number - self._most
        if over > 0:
            del self._made[-over:]
            self._lost += over

    def take(self, _batch: Batch | None = None) -> None:
        """The thread gets what was made."""
        made, self._made = self._made, []
        if made:
            with self._changed:
                self._number += len(made)
                self._waiting.append(made)
                self._changed.notify()

    def start(self) -> None:
        """Begins to write."""
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, in bounded time. For a thread, when nothing comes any more."""
        self.take()
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(GOODBYE_S)
            self._thread = None

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._is_ending:
                    self._changed.wait(ROUND_S)
                if not self._waiting and self._is_ending:
                    break
                lines = self._waiting.popleft() if self._waiting else []
            self._output.look()
            if lines:
                self._output.write(b"".join(lines))
                with self._changed:
                    self._number -= len(lines)
        self._output.close()


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

    def write(self, lines: bytes) -> None:
        """All of them, or they are counted. Nothing but a failing file ends it, and that is no reason to raise."""
        for chunk in _chunks(lines, self._most):
            if self._file < 0 or not self._written(chunk):
                self.lost += chunk.count(b"\n")

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


def _chunks(lines: bytes, most: int) -> Iterator[bytes]:
    """Whole lines, as many as go into one step."""
    begin = 0
    while len(lines) - begin > most:
        end = lines.rfind(b"\n", begin, begin + most) + 1 or lines.index(b"\n", begin) + 1
        yield lines[begin:end]
        begin = end
    if begin < len(lines):
        yield lines[begin:] if begin else lines
