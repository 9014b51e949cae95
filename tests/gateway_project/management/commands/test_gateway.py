"""`manage.py gateway` as a program: exit codes, streams, and no database where none is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_project.management.commands.gateway import Command
from tests.support.cli import written
from tests.support.configuration import route, service, small

MANAGE = Path(__file__).parents[4] / "manage.py"
NOWHERE = "postgres://nobody@127.0.0.1:1/none"


def manage(
    *arguments: str | Path, var_dir: Path, database_url: str = NOWHERE
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": database_url, "VAR_DIR": str(var_dir), "REDIS_URL": "none"}
    return subprocess.run(
        [sys.executable, MANAGE, "gateway", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_documents_are_checked_without_a_database(tmp_path: Path) -> None:
    """validate and schema work where the database is down."""
    ran = manage("validate", written(tmp_path, small()), var_dir=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "valid\n", "")
    bad = {"version": 1, "services": [service()], "routes": [route(to="ordrs")]}
    ran = manage("validate", written(tmp_path, bad), var_dir=tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith('routes[0].service: no service named "ordrs"')
    ran = manage("schema", var_dir=tmp_path)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["properties"]


@pytest.mark.parametrize("arguments", [["export"], ["apply", "FILE"]])
def test_a_database_that_is_down_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    """Exit 1, and no traceback."""
    file = str(written(tmp_path, small()))
    ran = manage(*(file if each == "FILE" else each for each in arguments), var_dir=tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("the database cannot be reached: ")
    assert ran.stderr.count("\n") == 1


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    """Instead of a failing query."""
    ran = manage("export", var_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/new.sqlite3")
    assert ran.returncode == 1
    assert "manage.py migrate" in ran.stderr


def as_program(*arguments: str) -> int:
    """Runs the command as `manage.py` does; its exit code."""
    with pytest.raises(SystemExit) as exited:
        Command().run_from_argv(["manage.py", "gateway", *arguments])
    return int(exited.value.code or 0)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["aply", "x"],
        ["apply"],
        ["rollback", "x"],
        ["serve", "--port", "99999"],
        ["serve", "--workers", "0"],
        ["revisions", "--limit", "-1"],
        ["schedule", "list", "--limit", "-1"],
        ["audit", "list", "--limit", "-1"],
        ["audit", "list", "--limit", "9" * 20],
        ["audit", "list", "--before", "0"],
        ["requests", "list", "--limit", "0"],
        ["requests", "list", "--limit", "10001"],
        ["replay", "--limit", "0"],
        ["events", "tail", "a", "--count", "-1"],
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage on stderr."""
    assert as_program(*arguments) == 2
    assert "usage:" in capsys.readouterr().err


SUBCOMMANDS = (
    *("serve", "apply", "diff", "export", "validate", "schema"),
    *("publish", "discard", "revisions", "rollback", "explain"),
)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_each_subcommand_has_help(subcommand: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, exit 0."""
    assert as_program(subcommand, "--help") == 0
    shown = capsys.readouterr()
    assert subcommand in shown.out
    assert shown.err == ""


def test_a_reader_that_goes_away_is_nobody_s_failure(tmp_path: Path) -> None:
    """`gateway schema | head -1` ends without a complaint."""
    environment = {**os.environ, "DATABASE_URL": NOWHERE, "VAR_DIR": str(tmp_path)}
    read_end, write_end = os.pipe()
    os.close(read_end)
    ran = subprocess.run(
        [sys.executable, MANAGE, "gateway", "schema"],
        env=environment,
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write_end)
    assert ran.stderr == ""
