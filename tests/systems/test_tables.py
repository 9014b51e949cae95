"""The tables that map each line of a system's document to the tests that prove it."""

import ast
import re

import pytest

from gateway_project.examples import EXAMPLES
from tests.support.source import ROOT

SYSTEMS = sorted(file.parent.name for file in EXAMPLES.glob("*/system.yaml"))
PICTURE = re.compile(r"!\[[^]]+\]\(([^)]+\.png)\)")
NAMED = re.compile(r"(tests/[\w/.-]+\.py)(?:::(\w+))?")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_named_test_exists(system: str) -> None:
    """And there are some."""
    named = set(NAMED.findall((EXAMPLES / system / "README.md").read_text()))
    assert named
    assert [f"{file}::{test}" for file, test in sorted(named) if not exists(file, test)] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_shows_itself(system: str) -> None:
    """By a picture that is no burden to a clone."""
    (picture,) = PICTURE.findall((EXAMPLES / system / "README.md").read_text())
    assert 0 < (EXAMPLES / system / picture).stat().st_size <= 150_000


def exists(file: str, test: str) -> bool:
    path = ROOT / file
    if not path.is_file():
        return False
    names = {getattr(node, "name", "") for node in ast.parse(path.read_text()).body}
    return not test or test in names
