"""Several processes that change the configuration at once lose nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "support" / "writers.py"
WRITERS, ROUNDS = 4, 5


@pytest.mark.store
def test_no_update_is_lost_and_no_number_is_given_twice(database_url: str, tmp_path: Path) -> None:
    """Every apply is in the end result; every edit is, too, or its author was told of the conflict."""
    environment = {**os.environ, "DATABASE_URL": database_url, "VAR_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, PROGRAM, str(WRITERS), str(ROUNDS)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    turns = WRITERS * ROUNDS
    assert found["numbers"] == list(range(1, len(found["numbers"]) + 1))
    assert found["parents"] == [None, *found["numbers"][:-1]]
    assert set(found["services"]) == {
        "orders",
        *(f"w{writer}-{turn}" for writer in range(WRITERS) for turn in range(ROUNDS)),
    }
    assert (found["edits"] - 1) + found["conflicts"] == turns
    assert found["rows_are_live"]
