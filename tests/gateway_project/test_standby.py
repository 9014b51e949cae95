"""Processes that wait to be told what they are."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_project import standby
from gateway_project.standby import Standby


@pytest.fixture
def waiting() -> Iterator[Standby]:
    """One; the test tells or dismisses it."""
    one = Standby()
    yield one
    assert one._process.returncode is not None


def test_becomes_what_it_is_told(waiting: Standby, tmp_path: Path) -> None:
    """A script with its arguments and its own environment, of the name that it was given; standard input is empty."""
    script, out = tmp_path / "service.py", tmp_path / "out.json"
    script.write_text(
        "import json, os, sys; from pathlib import Path\n"
        "assert __name__ == '__main__'\n"
        "seen = [sys.argv, dict(os.environ), Path('/proc/self/comm').read_text(), os.read(0, 9).decode()]\n"
        "Path(sys.argv[1]).write_text(json.dumps(seen))\n"
    )
    process = waiting.become("orders", (str(script), str(out)), {"KEY": "value"})
    assert process.wait(20) == 0
    assert json.loads(out.read_text()) == [[str(script), str(out)], {"KEY": "value"}, "orders\n", ""]


def test_module(waiting: Standby, tmp_path: Path) -> None:
    """As `python -m` would; its error is its exit status."""
    process = waiting.become("tool", ("-m", "json.tool", str(tmp_path / "none"), "--compact"), {})
    assert process.wait(20) != 0


def test_dismissed(waiting: Standby) -> None:
    """It ends by itself, and is waited for."""
    waiting.dismiss()
    assert waiting._process.returncode == 0


def test_ended_before_it_was_told(waiting: Standby) -> None:
    """Nobody is disturbed: the service is away, as any that ends."""
    waiting._process.kill()
    waiting._process.wait(20)
    assert waiting.become("orders", ("-m", "json.tool"), {}).poll() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("command", "known"), [(("-m", "json"), True), (("a.py",), True), (("-c", "1"), False), ((), False)]
)
def test_what_a_fork_can_run(command: tuple[str, ...], *, known: bool) -> None:
    """Modules and scripts."""
    assert standby.is_known(command) is known


def test_library_that_is_missing(waiting: Standby) -> None:
    """Is left for the service to miss."""
    standby.import_shared(("json", "no_such_library_at_all"))
    waiting.dismiss()
    assert os.getpid() != waiting._process.pid
