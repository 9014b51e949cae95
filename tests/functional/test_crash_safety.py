"""Kill -9 at any point of an apply leaves the old or the new configuration, whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CRASH = Path(__file__).parents[1] / "support" / "crash.py"


@pytest.mark.store
def test_a_kill_at_any_statement_leaves_the_old_or_the_new(database_url: str, tmp_path: Path) -> None:
    """Each statement of an apply is once the last thing that its process did."""
    environment = {**os.environ, "DATABASE_URL": database_url, "VAR_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, CRASH], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["killed"] >= 10
    assert set(found["states"]) <= {"old", "new"}
    assert found["finally"] == "new"
