"""The rules of this test suite itself."""

import socket
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from tests import conftest
from tests.support import brokers, browser, run


@pytest.fixture
def no_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)


def item(*marks: str) -> Any:
    return SimpleNamespace(get_closest_marker=lambda name: name in marks or None)


@pytest.mark.usefixtures("no_chromium")
def test_browser_tests_are_left_out_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Chromium the other tests run, and the report says what did not."""
    left_out: list[Any] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items))
    items = [plain := item(), drives_browser := item("browser")]

    conftest.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)  # type: ignore[arg-type]

    assert (items, left_out) == ([plain], [drives_browser])
    assert "left out" in (conftest.pytest_report_header() or "")


@pytest.mark.usefixtures("no_chromium")
def test_continuous_integration_must_have_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it counts, a missing browser is an error and not a gap."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.UsageError, match="Chromium"):
        conftest.pytest_configure()

    monkeypatch.setenv("CI", "")
    conftest.pytest_configure()


def test_brokers_are_left_out_aloud_unless_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Chromium is."""
    monkeypatch.setattr(brokers, "missing", lambda: ["nats"])
    left_out: list[Any] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items))
    items = [plain := item("rabbitmq"), wants := item("nats")]
    conftest.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)  # type: ignore[arg-type]
    assert (items[0], left_out[-1]) == (plain, wants)
    assert "nats was not found: its tests are left out" in (conftest.pytest_report_header() or "")
    monkeypatch.setattr(conftest, "find_chromium", lambda: "/chromium")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.UsageError, match="nats"):
        conftest.pytest_configure()


def test_foreign_machines_cannot_be_reached() -> None:
    """A connection beyond loopback fails before a packet is sent (the address is one for documentation)."""
    with socket.socket() as outgoing, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        outgoing.connect(("192.0.2.1", 80))


def test_environment_of_the_developer_stays_outside() -> None:
    """Tests have a VAR_DIR of their own and no variable of the shell but the chosen store."""
    config = settings.CONFIG

    assert config.environment == "testing"
    assert "torana-test-" in str(config.var_dir)
    assert config.redis.mode == "embedded"


def test_suite_fails_when_either_store_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is the first one that is not zero; a selection without store tests is no failure."""
    codes: list[int] = []

    def outcome(*results: int, arguments: tuple[str, ...] = ()) -> int:
        codes[:] = results
        return run.main(list(arguments))

    monkeypatch.setattr(run, "run", lambda arguments, environment: codes.pop(0))
    monkeypatch.setattr(run, "compile_all", lambda environment: None)
    monkeypatch.setattr(run, "redis", lambda: nullcontext(("redis://h", "a server")))
    monkeypatch.setattr(run, "migrated", lambda server: nullcontext({}))
    monkeypatch.setattr(run, "postgres", lambda: nullcontext(("postgres://h/d", "a server")))

    assert [outcome(0, 0), outcome(1, 0), outcome(0, 1), outcome(0, 5)] == [0, 1, 1, 5]
    assert outcome(0, 5, arguments=("tests/routing",)) == 0
