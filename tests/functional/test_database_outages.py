"""Whatever the database does, what is served stays, and changes are seen again once it answers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.databases import postgres
from tests.support.stopwatch import Stopwatch

OUTAGE = Path(__file__).parents[1] / "support" / "outage.py"


@pytest.mark.store
def test_a_database_that_hangs_or_goes_away_takes_nothing_with_it(
    tmp_path: Path, stopwatch: Stopwatch
) -> None:
    """It hangs, it is cut off, a worker starts without it, it comes back: each as DESIGN's failure table has it."""
    with postgres() as (server, _), psycopg.connect(server, autocommit=True) as connection:
        name = f"test_outage_{os.getpid()}"
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            found = run(server.rpartition("/")[0] + f"/{name}", tmp_path)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def took_s(name: str) -> float:
        return stopwatch.between(*found[name])

    assert found["started_with"] == 1
    assert took_s("live") < 1
    assert found["served_while_hanging"] == 2
    assert took_s("hang_noticed") < 8
    assert found["served_while_away"] == found["started_without"] == 3
    assert took_s("start_without") < 6
    assert took_s("live_after_hang") < 6
    assert took_s("live_after_loss") < 6
    assert took_s("late_live_after_loss") < 6


def run(url: str, var_dir: Path) -> dict[str, Any]:
    environment = {**os.environ, "VAR_DIR": str(var_dir)}
    done = subprocess.run(
        [sys.executable, OUTAGE, url], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
