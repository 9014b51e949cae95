"""P: The reference of the command line, from its argument parsers."""

import argparse
import os
from collections.abc import Iterator
from unittest import mock

HEAD = """\
# Command line reference

Generated from the argument parsers; `python manage.py gateway SUBCOMMAND --help` prints the same. Errors go to standard
error without a traceback, with exit code 1; `--json` prints data for programs.
"""
COLUMNS = "80"


def leaves(
    parser: argparse.ArgumentParser, help_text: str = ""
) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Every parser that runs something, with what its parent says of it."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield parser, parser.description or help_text
    for group in groups:
        said = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, below in group.choices.items():
            yield from leaves(below, said.get(name, ""))


def text(parser: argparse.ArgumentParser, heading: str = HEAD) -> str:
    """The page, in Markdown; names are as the parser's `prog` has them."""
    with mock.patch.dict(os.environ, {"COLUMNS": COLUMNS}):
        return "\n".join([heading, *(_command(each, said) for each, said in leaves(parser))])


def own(parser: argparse.ArgumentParser) -> str:
    """A part of the page, for a command without subcommands of its own."""
    with mock.patch.dict(os.environ, {"COLUMNS": COLUMNS}):
        return _command(parser, parser.description or "")


def _command(parser: argparse.ArgumentParser, said: str) -> str:
    name = parser.prog.removeprefix("manage.py ")
    usage = parser.format_usage().removeprefix("usage: ").replace("manage.py ", "python manage.py ").rstrip()
    lines = [f"## {name}", "", f"{_sentence(said)}", "", "```text", usage, "```", ""]
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        lines += [f"`{_names(action)}`", f":   {_meaning(action)}", ""]
    return "\n".join(lines)


def _names(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    shown = " ".join(value) if isinstance(value, tuple) else str(value)
    if not action.option_strings:
        return shown
    return ", ".join(action.option_strings) + (f" {shown}" if action.nargs != 0 else "")


def _meaning(action: argparse.Action) -> str:
    said = (action.help or "").replace("%%", "%")
    if "%(" in said:
        said = said % {"default": action.default, "prog": "gateway"}
    default = action.default
    named = default not in (None, False, [], (), argparse.SUPPRESS) and "default" not in said
    return f"{_sentence(said) or '—'}{f' Default: `{default}`.' if named else ''}"


def _sentence(said: str) -> str:
    said = " ".join(said.split())
    return f"{said[0].upper()}{said[1:].rstrip('.')}." if said else ""
