"""What the installed command makes of its arguments."""

import pytest

from gateway_project.main import command_line


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
