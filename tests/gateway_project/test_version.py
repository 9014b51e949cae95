"""One version for the package and for the gateway."""

import tomllib

from gateway_project.version import VERSION
from tests.support.source import ROOT


def test_project_takes_it_from_the_module() -> None:
    """It is written in one place, and the changelog's words hold: semantic versioning."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "gateway_project/version.py"
    assert [part.isdigit() for part in VERSION.split(".")] == [True] * 3
