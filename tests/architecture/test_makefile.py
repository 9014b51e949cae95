"""The commands that people and continuous integration start."""

import os
import re
import subprocess

from tests.support.source import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def test_help_lists_every_command() -> None:
    """`make` alone shows each command with what it does."""
    targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.M)
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert re.findall(r"^make ([a-z-]+) +\S", shown, re.M) == targets
    assert {"run", "test", "lint", "fmt", "bench", "help"} <= set(targets)


def test_commands_need_only_make_and_python() -> None:
    """What a fresh machine lacks is used by `make lock` alone."""
    recipes = re.sub(r"^lock:.*?(?=^\S|\Z)", "", MAKEFILE, flags=re.M | re.S)
    recipes = re.sub(r"^LOCK :=.*$", "", recipes, flags=re.M)

    assert re.findall(r"\b(uv|git|docker|poetry|npm)\b", recipes) == []


def test_continuous_integration_runs_lint_and_test() -> None:
    """.ci/run can be executed, stops at the first failure, and ends with the two commands."""
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("make lint\nmake test")
    assert "set -euo pipefail" in script.read_text()
    assert subprocess.run(["bash", "-n", script]).returncode == 0
