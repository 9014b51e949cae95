"""What is there before Django: addresses, the store, processes that wait; and that all of it ends."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gateway_project import beginning
from gateway_project.beginning import begun
from gateway_project.config import ConfigError
from gateway_project.examples import DEMO
from tests.support.process import children, gone
from tests.support.warm import MANAGE, ROOT


def test_only_a_start_begins_anything(tmp_path: Path) -> None:
    """Another command's environment stays as it is."""
    environ = {"VAR_DIR": str(tmp_path / "var")}
    for arguments in ([], ["migrate"], ["quickstart", "--help"], ["quickstart", "--example", "phonix"]):
        with begun(arguments, environ):
            assert beginning.current() == beginning.Beginning()
    assert environ == {"VAR_DIR": str(tmp_path / "var")}
    assert not (tmp_path / "var").exists()


def test_everything_is_known_before_settings_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses, the store's URL and what the example's environment has; services wait, and end with it."""
    monkeypatch.setattr(beginning, "can_fork", lambda: True)  # whatever threads other tests have left here
    environ = {"VAR_DIR": str(tmp_path), "REALTIME_SERVICE_URL": "http://mine:1"}
    with begun(["quickstart", "--example", "isaas"], environ):
        now = beginning.current()
        processes = [each._process for each in now.waiting.values()]
        assert environ["REDIS_URL"].startswith("unix://")
        assert {**environ, **now.addresses} == environ
        assert environ["RATE_LIMIT_PER_SECOND"] == "10"
        assert {*now.addresses} == {"CONTEXT_SERVICE_URL", "INTENT_SERVICE_URL", "PREDICTION_SERVICE_URL"}
        assert {*now.waiting} == {"context", "intent", "prediction"}
        assert [process.poll() for process in processes] == [None, None, None]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert beginning.current() == beginning.Beginning()
    assert not Path(environ["REDIS_URL"].removeprefix("unix://")).exists()


def test_a_store_of_somebody_s_own_is_used(tmp_path: Path) -> None:
    """None is started."""
    environ = {"VAR_DIR": str(tmp_path), "REDIS_URL": "none"}
    with begun(["quickstart"], environ):
        assert environ["REDIS_URL"] == "none"
        assert beginning.current().has_store


def test_a_wrong_environment_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    """As by settings."""
    environ = {"VAR_DIR": str(tmp_path), "GATEWAY_PORT": "many"}
    with pytest.raises(ConfigError, match="GATEWAY_PORT"), begun(["quickstart"], environ):
        pass
    assert not [*tmp_path.glob("valkey*")]


def test_addresses_of_the_upstreams() -> None:
    """A variable that is set is somebody's own upstream."""
    free = beginning.addresses_of(DEMO, {"DEMO_ECHO": "http://mine:1"})
    assert {*free} == {"DEMO_ORDERS_A", "DEMO_ORDERS_B"}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", free["DEMO_ORDERS_A"])


def test_an_interrupt_that_an_import_caught(tmp_path: Path) -> None:
    """Some libraries catch whatever their own imports raise: it is asked for once more before anything is served."""
    before = signal.getsignal(signal.SIGINT)  # a run in a shell's background ignores it
    with begun(["quickstart"], {"VAR_DIR": str(tmp_path), "REDIS_URL": "none"}):
        beginning.heed_interrupt()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            beginning.heed_interrupt()
    beginning.heed_interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_interrupt_while_django_is_imported(tmp_path: Path) -> None:
    """Ctrl-C ends it without a traceback, with the status that shells expect; store and processes end with it."""
    environ = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    process = subprocess.Popen(
        [sys.executable, MANAGE, "quickstart"],
        env={**environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": "", "GATEWAY_PORT": "0"},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    deadline_s = time.monotonic() + 60
    while len(begotten := children(process.pid)) < 4 and time.monotonic() < deadline_s:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert len(begotten) == 4
    assert (process.returncode, said) == (130, "")
    asyncio.run(gone(begotten))
