"""What the installed command makes of its arguments."""

import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django.core.management
import pytest

from gateway_project.main import command_line, execute


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ([], ["gateway"]),
        (["serve", "--port", "0"], ["gateway", "serve", "--port", "0"]),
        (["gateway", "serve"], ["gateway", "serve"]),
        (["manage", "migrate", "--plan"], ["migrate", "--plan"]),
        (["manage"], []),
    ],
)
def test_arguments_are_those_of_manage(typed: list[str], wanted: list[str]) -> None:
    """The gateway's own commands by their names, all others behind `manage`."""
    assert command_line(typed) == wanted


def test_an_example_has_its_environment_before_settings_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A variable that says nothing without another one of the example's is no fault then."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(sys, "argv", ["manage.py", "quickstart", "--example", "isaas"])
    monkeypatch.setattr(
        django.core.management, "execute_from_command_line", lambda _: seen.append(dict(os.environ))
    )
    with patch.dict(os.environ, {"RATE_LIMIT_BURST": "50", "VAR_DIR": str(tmp_path)}, clear=True):
        execute()
    assert seen[0]["RATE_LIMIT_BURST"] == "50"
    assert seen[0]["RATE_LIMIT_PER_SECOND"] == "10"
