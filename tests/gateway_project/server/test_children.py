"""One worker process in its supervisor's hands."""

import os
import signal
import subprocess
import sys

import pytest

from gateway_project.server.children import Child, ending


def child(code: str) -> Child:
    """A Python process with a ready pipe as fd `sys.argv[1]` and a lifeline as `sys.argv[2]`."""
    ready_read, ready_write = os.pipe()
    lifeline_read, lifeline_write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os, sys\n{code}", str(ready_write), str(lifeline_read)],
        pass_fds=(ready_write, lifeline_read),
    )
    os.close(ready_write)
    os.close(lifeline_read)
    return Child(process, ready_fd=ready_read, lifeline_fd=lifeline_write, now_s=1.0)


def wait(child: Child) -> int:
    return child._process.wait(10)


def test_ready() -> None:
    """The pipe tells, and when."""
    one = child("os.write(int(sys.argv[1]), b'ready'); os.read(int(sys.argv[2]), 1)")
    before = repr(one)

    assert one.take_ready(2.0)
    assert one.ready_s == 2.0
    assert one.exit_status() is None
    assert (before, repr(one)) == (f"<Child {one.pid} starting>", f"<Child {one.pid} ready>")
    one.retire(9.0)
    assert wait(one) == 0
    assert one.killed_after_s == 9.0
    one.close()


def test_gone_before_it_was_ready() -> None:
    """The pipe ends without a word."""
    one = child("sys.exit(3)")

    assert not one.take_ready(2.0)
    assert wait(one) == 3
    one.kill()
    one.close()


def test_stop_and_kill() -> None:
    """Two ways to end it, both harmless for one that has ended."""
    for end, number in ((lambda one: one.stop(9.0), signal.SIGTERM), (Child.kill, signal.SIGKILL)):
        one = child("os.read(int(sys.argv[2]), 1)")
        end(one)
        assert wait(one) == -number
        end(one)
        one.close()


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exited with status 0"), (-9, "was killed by SIGKILL"), (-200, "was killed by signal 200")],
)
def test_endings(status: int, words: str) -> None:
    """In words."""
    assert ending(status) == words
