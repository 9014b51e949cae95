"""I: One worker as its supervisor holds it: the process, its ready pipe, its lifeline."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway_project.server.forks import Forked, fork
from gateway_project.server.limits import ServerLimits
from gateway_project.server.spec import READY, LeavingTimes, WorkerSpec

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """`ready_fd` becomes readable when the worker accepts, or is gone without having done so."""

    def __init__(
        self, process: subprocess.Popen[bytes] | Forked, *, ready_fd: int, lifeline_fd: int, now_s: float
    ) -> None:
        self.started_s = now_s
        self.ready_s: float | None = None
        self.killed_after_s: float | None = None
        self.ready_fd = ready_fd
        self._process = process
        self._lifeline_fd = lifeline_fd

    def __repr__(self) -> str:
        return f"<Child {self.pid} {'ready' if self.ready_s is not None else 'starting'}>"

    @property
    def pid(self) -> int:
        return self._process.pid

    def take_ready(self, now_s: float) -> bool:
        """To be called when `ready_fd` is readable: whether the worker is ready."""
        if os.read(self.ready_fd, len(READY)):
            self.ready_s = now_s
        return self.ready_s is not None

    def exit_status(self) -> int | None:
        """None while it runs; minus the signal that ended it, as subprocess has it."""
        return self._process.poll()

    def stop(self, deadline_s: float) -> None:
        """Asks it to leave, with grace."""
        self._end(signal.SIGTERM)
        self.killed_after_s = deadline_s

    def retire(self, deadline_s: float) -> None:
        """Asks it to leave at once: others accept in its place. Requests in flight still finish."""
        os.close(self._lifeline_fd)
        self._lifeline_fd = -1
        self.killed_after_s = deadline_s

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(how)

    def close(self) -> None:
        """Gives its descriptors back; the process has ended."""
        os.close(self.ready_fd)
        if self._lifeline_fd >= 0:
            os.close(self._lifeline_fd)


def spawn(
    app: str,
    *,
    sockets: Sequence[socket.socket],
    limits: ServerLimits,
    times: LeavingTimes,
    environ: Mapping[str, str],
    now_s: float,
    run: Callable[[WorkerSpec], int] | None = None,
) -> Child:
    """Starts a worker in a process group of its own, out of the terminal's reach.

    It is a program of its own, unless `run` is given, which then runs in a fork of this process.
    """
    ready_read, ready_write = os.pipe()
    lifeline_read, lifeline_write = os.pipe()
    listening = tuple(sock.fileno() for sock in sockets)
    spec = WorkerSpec(
        app=app,
        listening_fds=listening,
        ready_fd=ready_write,
        lifeline_fd=lifeline_read,
        times=times,
        limits=limits,
    )
    passed = (*listening, ready_write, lifeline_read)
    try:
        if run is not None:
            process: subprocess.Popen[bytes] | Forked = fork(lambda: run(spec), keep=passed, environ=environ)
        else:
            process = _program(spec, passed, environ)
    finally:
        os.close(ready_write)
        os.close(lifeline_read)
    return Child(process, ready_fd=ready_read, lifeline_fd=lifeline_write, now_s=now_s)


def _program(spec: WorkerSpec, passed: Sequence[int], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(part for part in (str(ROOT), environ.get("PYTHONPATH", "")) if part)
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", "gateway_project.server.worker", spec.to_json()],
        pass_fds=passed,
        env={**environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        process_group=0,
    )


def ending(status: int) -> str:
    """How a worker ended, for people."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
