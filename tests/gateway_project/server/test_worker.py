"""A worker's first steps. As a process: tests/functional/test_serve_processes.py."""

import gc
from typing import Any

import pytest

from gateway_project.server.spec import WorkerSpec
from gateway_project.server.worker import STARTUP_FAILED, load_application, run, tune_collector


def test_application_is_imported() -> None:
    """By module and name."""
    assert load_application("gateway_project.server.worker:run") is run


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("no_such_module:app", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("gateway_project.server.worker:nothing", "AttributeError: module"),
    ],
)
def test_application_that_can_not_be_imported(app: str, message: str, capsys: Any) -> None:
    """One line says why; the status says that it never started."""
    status = run(WorkerSpec(app=app, listening_fds=(), ready_fd=-1, lifeline_fd=-1))
    said = capsys.readouterr().err

    assert status == STARTUP_FAILED
    assert said.startswith(f"torana: cannot load {app}: {message}")
    assert said.count("\n") == 1


def test_the_collector_rests_while_requests_come_and_go() -> None:
    """A thousand requests in flight, of some forty objects each, may come and go; a leak is still found."""
    thresholds = gc.get_threshold()
    try:
        tune_collector()
        first, second, third = gc.get_threshold()
    finally:
        gc.set_threshold(*thresholds)

    assert first * second >= 1000 * 40
    assert 0 < first * second * third < 10_000_000
