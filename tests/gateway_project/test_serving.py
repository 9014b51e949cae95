"""`gateway serve` refuses what cannot work before any worker starts."""

import os
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from gateway_project import serving
from gateway_project.connections import Redis
from gateway_project.embedded import EmbeddedValkey
from routing.commands.console import CommandRefused, Console
from tests.support.cli import written
from tests.support.configuration import route

MANAGE = Path(__file__).parents[2] / "manage.py"


def serve(*arguments: str | Path, var_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VAR_DIR": str(var_dir), "REDIS_URL": "none"}
    command = [sys.executable, MANAGE, "gateway", "serve", "--port", "0", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_several_workers_need_a_shared_store(tmp_path: Path) -> None:
    """REDIS_URL=none keeps limits in one process."""
    ran = serve("--workers", "2", var_dir=tmp_path)
    assert ran.returncode == 1
    assert "--workers 1" in ran.stderr


@pytest.mark.parametrize("document", [{"version": 1, "routes": [route(to="none")]}, "nonsense", None])
def test_a_file_that_cannot_be_served_is_refused(document: object, tmp_path: Path) -> None:
    """With its problems; a missing file with the system's reason."""
    file = written(tmp_path, document) if document is not None else tmp_path / "none.yaml"
    ran = serve("--revision", file, var_dir=tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr
    assert "Traceback" not in ran.stderr


OPTIONS = Namespace(host="127.0.0.1", port=0, workers=2, role="all", revision=None, grace=None)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the supervisor is called with."""
    calls: list[dict[str, Any]] = []

    def serve(**options: Any) -> int:
        calls.append(options)
        return 0

    monkeypatch.setattr(serving, "serve", serve)
    return calls


def test_several_workers_need_the_embedded_store_to_start(
    monkeypatch: pytest.MonkeyPatch, served: list[dict[str, Any]]
) -> None:
    """One worker does without."""
    monkeypatch.setattr(serving, "start_valkey", lambda _var_dir: None)
    with pytest.raises(CommandRefused, match="--workers 1"):
        serving.run_serve(OPTIONS, Console(sys.stdout, sys.stderr))
    alone = Namespace(**{**vars(OPTIONS), "workers": 1})
    assert serving.run_serve(alone, Console(sys.stdout, sys.stderr)) == 0
    assert [call["extra_env"] for call in served] == [{}]


def test_options_reach_the_supervisor(served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """And the workers find the embedded store, which ends when they have."""
    events: list[str] = []

    class Valkey(EmbeddedValkey):
        def stop(self) -> None:
            events.append(f"stopped after {len(served)}")

    monkeypatch.setattr(serving, "start_valkey", lambda _var_dir: Valkey("unix:///v.sock", None))
    options = Namespace(**{**vars(OPTIONS), "role": "data", "grace": 3.0})
    assert serving.run_serve(options, Console(sys.stdout, sys.stderr)) == 0
    call = served[0]
    assert (call["role"], call["workers"], call["grace_s"]) == ("data", 2, 3.0)
    assert call["extra_env"] == {"REDIS_URL": "unix:///v.sock"}
    assert events == ["stopped after 1"]


@pytest.mark.parametrize("mode", ["server", "process"])
def test_nothing_is_started_beside_another_choice(mode: Any) -> None:
    """A REDIS_URL, or none, is what it is."""
    config = replace(settings.CONFIG, redis=Redis(mode))
    with serving.shared_store(config) as environ:
        assert environ == {}


def test_control_node_needs_a_database(tmp_path: Path) -> None:
    """A file has none."""
    options = Namespace(**{**vars(OPTIONS), "role": "control", "revision": tmp_path / "x.yaml"})
    with pytest.raises(CommandRefused, match="--role control"):
        serving.run_serve(options, Console(sys.stdout, sys.stderr))
