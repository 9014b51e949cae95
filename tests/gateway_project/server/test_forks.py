"""Children that go on from here: what they have of this process, and how they end."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_project.server import forks
from gateway_project.server.forks import can_fork, fork


def told_by(run: Callable[[int], object]) -> tuple[str, int]:
    """What a fork writes to a pipe, and its exit status."""
    read, write = os.pipe()
    child = fork(
        lambda: os.write(write, str(run(write)).encode()) and 7, keep=(write,), environ={"ONLY": "this"}
    )
    os.close(write)
    with os.fdopen(read) as file:
        return file.read(), child.wait(20)


def test_it_has_what_it_was_given() -> None:
    """Its environment, its descriptors, a process group of its own, and an empty standard input."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def look(write: int) -> object:
            # The listing's own is closed again.
            listed = sorted(int(each.name) for each in Path("/proc/self/fd").iterdir())
            opened = [number for number in listed if Path(f"/proc/self/fd/{number}").exists()]
            assert other.fileno() not in opened
            assert [number for number in opened if number > 2] == [write]
            return dict(os.environ), os.getpgid(0) == os.getpid(), os.read(0, 1)

        assert told_by(look) == (str(({"ONLY": "this"}, True, b"")), 7)


def test_signals_are_its_own() -> None:
    """What this process has arranged does not reach it, and none is blocked; nor is one here, afterwards."""
    heard: list[int] = []
    read, write = socket.socketpair()
    with read, write:
        write.setblocking(False)
        read.setblocking(False)
        handler = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
        before = signal.set_wakeup_fd(write.fileno())
        try:
            child = fork(signal.pause, keep=(), environ={})  # type: ignore[arg-type]
            child.terminate()
            assert child.wait(20) == -signal.SIGTERM
        finally:
            signal.set_wakeup_fd(before)
            signal.signal(signal.SIGTERM, handler)
        with pytest.raises(BlockingIOError):
            read.recv(1)
    assert heard == []
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_one_that_has_ended() -> None:
    """Its status stays, and signals go nowhere."""
    child = fork(lambda: 3, keep=(), environ={})
    assert child.wait() == child.wait(1) == child.poll() == 3
    child.kill()


def test_one_that_does_not_end() -> None:
    """Whoever waits for it is told, and may kill it."""
    child = fork(signal.pause, keep=(), environ={})  # type: ignore[arg-type]
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    child.kill()
    assert child.wait(20) == -signal.SIGKILL


def test_errors_are_its_exit_status(capfd: pytest.CaptureFixture[str]) -> None:
    """With a traceback, as from any program; what it called `exit` with is that."""

    def fail() -> int:
        raise ValueError("nobody expects it")

    assert fork(fail, keep=(), environ={}).wait(20) == 1
    assert fork(lambda: sys.exit(4), keep=(), environ={}).wait(20) == 4
    assert fork(lambda: sys.exit("no"), keep=(), environ={}).wait(20) == 1
    assert fork(lambda: sys.exit(), keep=(), environ={}).wait(20) == 0
    said = capfd.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("ValueError: nobody expects it\nno\n")


def test_name() -> None:
    """Told by ps, cut to what the system keeps."""

    def look(_write: int) -> str:
        forks.show_as("a-service-with-a-long-name")
        return Path("/proc/self/comm").read_text()

    assert told_by(look) == ("a-service-with-\n", 7)


def test_threads_forbid_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them may hold a lock, which nobody would give back in the child. Other systems' libraries bear no fork."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert can_fork()
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert not can_fork()
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(forks.sys, "platform", "darwin")
    assert not can_fork()
