"""I: `gateway serve`'s parent process: binds, starts workers, heeds signals. Imports neither Django nor asyncio.

SIGTERM and SIGINT: leave gracefully; a second SIGINT: at once. SIGHUP: every worker is replaced by a new one that is
ready before the old one leaves; both listen on the same sockets, so no connection is refused.
"""

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from gateway_project.server import files
from gateway_project.server import sockets as listening
from gateway_project.server.children import Child, spawn
from gateway_project.server.crew import Crew, Patience
from gateway_project.server.forks import can_fork, show_as
from gateway_project.server.limits import ServerLimits
from gateway_project.server.spec import (
    REVISION_VARIABLE,
    ROLE_VARIABLE,
    WORKERS_VARIABLE,
    LeavingTimes,
    WorkerSpec,
)

APPLICATION = "gateway_project.asgi:application"
FORCED = 130
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

OnReady = Callable[[tuple[str, ...]], None]


def serve(
    *,
    host: str,
    port: int,
    workers: int,
    role: str,
    app: str = APPLICATION,
    revision: Path | None = None,
    limits: ServerLimits | None = None,
    grace_s: float = 1.0,
    drain_timeout_s: float = 30.0,
    ready_timeout_s: float = 60.0,
    extra_env: Mapping[str, str] | None = None,
    on_ready: OnReady | None = None,
    goes_on: bool = False,
) -> int:
    """Serves until it is told to stop; returns the exit status. Must be called in the main thread.

    `on_ready` is called once, with the URLs, when every worker accepts connections. `goes_on` lets the first workers be
    forks of this process, which has Django imported by the same environment, holds no connection, and has no thread.
    """
    try:
        sockets = listening.bind(host, port)
    except listening.CannotListen as error:
        _say(str(error))
        return 1
    allowed = files.raise_limit()
    if allowed < files.ENOUGH:
        _say(f"only {allowed} files may be open (ulimit -n): connections beyond {allowed // 2} will be reset")
    environ = {**os.environ, ROLE_VARIABLE: role, WORKERS_VARIABLE: str(workers), **(extra_env or {})}
    if revision is not None:
        environ[REVISION_VARIABLE] = str(revision.resolve())
    times = LeavingTimes(grace_s=grace_s, drain_timeout_s=drain_timeout_s)

    def start(now_s: float) -> Child:
        is_first = goes_on and not crew.complete and can_fork()
        return spawn(
            app,
            sockets=sockets,
            limits=limits or ServerLimits(),
            times=times,
            environ=environ,
            now_s=now_s,
            run=_run_here if is_first else None,
        )

    patience = Patience(ready_timeout_s=ready_timeout_s, leave_timeout_s=grace_s + drain_timeout_s)
    crew = Crew(start=start, size=workers, patience=patience, say=_say)
    with _signals() as wakeup:
        return Supervisor(crew, sockets, wakeup, on_ready=on_ready).run()


def _run_here(spec: WorkerSpec) -> int:
    """In a fork, which needs what this process does not: the event loop and the server."""
    from gateway_project.server.worker import work

    show_as("torana-worker")
    return work(spec)


class Supervisor:
    """The loop: waits for signals, ready pipes and the crew's next due time."""

    def __init__(
        self, crew: Crew, sockets: list[socket.socket], wakeup: socket.socket, *, on_ready: OnReady | None
    ) -> None:
        self._crew = crew
        self._sockets = sockets
        self._wakeup = wakeup
        self._on_ready = on_ready
        self._urls = listening.urls(sockets)
        self._announced = False
        self._forced = False
        self._had_terminal = os.isatty(0)

    def run(self) -> int:
        crew = self._crew
        while True:
            due_s = crew.tend(time.monotonic())
            self._wait(due_s)
            now_s = time.monotonic()
            crew.note_exits(now_s)
            if crew.failed and not crew.stopping:
                self._stop(now_s)
            if crew.complete and not self._announced:
                self._announce()
            if crew.stopping and not crew.children():
                break
        self._close_sockets()
        return FORCED if self._forced else 1 if crew.failed else 0

    def _wait(self, due_s: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            for child in self._crew.starting():
                selector.register(child.ready_fd, selectors.EVENT_READ, child)
            ready = selector.select(max(0.0, due_s - time.monotonic()))
        for key, _ in ready:
            if key.data is None:
                for number in self._wakeup.recv(4096):
                    self._heed(number)
            elif key.data.take_ready(time.monotonic()):
                self._crew.note_ready(key.data, time.monotonic())
            else:
                time.sleep(0.01)  # it closed its pipe and is about to end

    def _heed(self, number: int) -> None:
        now_s = time.monotonic()
        if number == signal.SIGINT and self._crew.stopping:
            self._forced = True
            self._crew.kill()
        elif number in (signal.SIGINT, signal.SIGTERM) or (
            number == signal.SIGHUP and self._terminal_is_gone()
        ):
            if not self._crew.stopping:
                _say("stopping")
                self._stop(now_s)
        elif number == signal.SIGHUP and not self._crew.stopping:
            _say("replacing every worker")
            self._crew.reload()

    def _terminal_is_gone(self) -> bool:
        """A terminal that is closed sends SIGHUP as well, and then nobody is left to stop us."""
        return self._had_terminal and not os.isatty(0)

    def _stop(self, now_s: float) -> None:
        # Ours first: the port is free once the last worker stops accepting, and nobody waits in vain.
        self._close_sockets()
        self._crew.stop(now_s)

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    def _announce(self) -> None:
        self._announced = True
        count = len(self._crew.places)
        _say(f"serving on {' and '.join(self._urls)} with {count} {'worker' if count == 1 else 'workers'}")
        if self._on_ready is not None:
            self._on_ready(self._urls)


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that yields one byte, its number, per signal heeded."""

    def note(_number: int, _frame: FrameType | None) -> None:
        """The wakeup descriptor has told already."""

    read, write = socket.socketpair()
    with read, write:
        read.setblocking(False)
        write.setblocking(False)
        handlers = {number: signal.signal(number, note) for number in _HEEDED}
        before = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        try:
            yield read
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _say(message: str) -> None:
    sys.stderr.write(f"torana: {message}\n")
    sys.stderr.flush()
