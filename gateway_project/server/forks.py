"""I: A process that goes on from here, with what is imported already, in place of one that imports it anew."""

import atexit
import gc
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_STANDARD: Final = range(3)
_COMM: Final = Path("/proc/self/comm")


class Forked:
    """A child of this process, with what subprocess.Popen has for one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """None while it runs; minus the signal that ended it."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing happens to one that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        if self.poll() is None:
            watched = os.pidfd_open(self.pid)
            try:
                select.select([watched], [], [], timeout)
            finally:
                os.close(watched)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return status


def can_fork() -> bool:
    """Whether this process may: on Linux, whose libraries allow it, and while no thread of it may hold a lock."""
    return sys.platform == "linux" and threading.active_count() == 1


def show_as(name: str) -> None:
    """What ps and top say that this process is, of which the arguments are its parent's; 15 characters of it."""
    with suppress(OSError):
        _COMM.write_text(name[:15])


def fork(run: Callable[[], int], *, keep: Collection[int], environ: Mapping[str, str]) -> Forked:
    """Runs `run` in a child, in a process group of its own; what it returns is the exit status.

    As for a program that was started: signals do what they do by default, standard input is empty, and of the open
    files it has `keep`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal between the fork and the child's first steps would be told to this process, by the pipe that both have.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        if pid := os.fork():
            return Forked(pid)
        _become(run, keep, environ, before)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    raise AssertionError("a child does not come back")


def _become(
    run: Callable[[], int], keep: Collection[int], environ: Mapping[str, str], mask: Collection[Any]
) -> None:
    """In the child; does not return, for what is on the stack is the parent's."""
    code = 1
    try:
        # Nothing of the parent's may be collected here: it would close a descriptor that has become another file's.
        gc.freeze()
        atexit._clear()
        _forget_signals()
        os.setpgid(0, 0)
        _keep_open(keep)
        os.environ.clear()
        os.environ.update(environ)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        try:
            code = run()
        finally:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
    except SystemExit as error:
        code = _status(error)
    except BaseException:
        with suppress(OSError):
            traceback.print_exc()
    finally:
        os._exit(code)


def _status(error: SystemExit) -> int:
    """As the interpreter has it, which prints what is no number."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    return 1


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(
                number, signal.SIG_DFL
            )  # Ctrl-C, too: it may come before the process has its own group


def _keep_open(keep: Collection[int]) -> None:
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    last = 2
    for number in sorted({*keep} - {*_STANDARD}):
        os.closerange(last + 1, number)
        os.set_inheritable(number, True)
        last = number
    os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False, errors="backslashreplace")
