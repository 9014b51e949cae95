"""`gateway serve` refuses what cannot work before any worker starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
