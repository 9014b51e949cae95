"""The reference of the command line."""

import argparse

from gateway_project.management.commands.gateway import Command
from scripts.docsite.commands import leaves, own, text


def test_every_command_is_there() -> None:
    """With its usage and what each argument means."""
    parser = Command().create_parser("manage.py", "gateway")
    page = text(parser)
    names = [each.prog.removeprefix("manage.py ") for each, _ in leaves(parser)]
    assert len(names) > 40
    assert [name for name in names if f"## {name}\n" not in page] == []
    assert "python manage.py gateway apikey create [-h] --consumer C" in page
    assert "`--expires D`\n:   A duration (30d) or a date (2030-12-31); default: never." in page


def test_every_command_says_what_it_does() -> None:
    """In its parent's list."""
    parser = Command().create_parser("manage.py", "gateway")
    assert [each.prog for each, said in leaves(parser) if not said] == []


def test_arguments_are_told() -> None:
    """Choices, defaults, flags."""
    parser = argparse.ArgumentParser(prog="manage.py x", description="does it")
    parser.add_argument("--port", type=int, default=8000, help="port")
    parser.add_argument("--role", choices=("a", "b"), help="of %(default)s")
    parser.add_argument("--all", action="store_true")
    page = own(parser)
    assert "## x\n\nDoes it." in page
    assert "`--port PORT`\n:   Port. Default: `8000`." in page
    assert "`--role a|b`\n:   Of None." in page
    assert "`--all`\n:   —" in page
