"""Whatever the database does, what is served stays, and changes are seen again once it answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.databases import postgres

OUTAGE = Path(__file__).parents[1] / "support" / "outage.py"


@pytest.mark.store
def test_a_database_that_hangs_or_goes_away_takes_nothing_with_it(tmp_path: Path) -> None:
    """It hangs, it is cut off, a worker starts without it, it comes back: each as DESIGN's failure table has it."""
    with postgres() as (server, _), psycopg.connect(server, autocommit=True) as connection:
        name = f"test_outage_{os.getpid()}"
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            found = run(server.rpartition("/")[0] + f"/{name}", tmp_path)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert found["started_with"] == 1
    assert found["live_s"] < 1
    assert found["served_while_hanging"] == 2
    assert found["hang_noticed_s"] < 8
    assert found["served_while_away"] == found["started_without"] == 3
    assert found["start_without_s"] < 6
    assert found["live_after_hang_s"] < 6
    assert found["live_after_loss_s"] < 6


def run(url: str, var_dir: Path) -> dict[str, float]:
    environment = {**os.environ, "VAR_DIR": str(var_dir)}
    done = subprocess.run(
        [sys.executable, OUTAGE, url], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found
