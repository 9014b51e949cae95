"""D: What the `gateway` subcommands share: input files, the author, and output for people and programs."""

import argparse
import getpass
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import orjson
from django.contrib.auth import get_user_model

from routing.document.yaml import parse_text
from routing.drafts import Actor
from routing.problems import ConfigurationInvalid, Problem

OK: Final = 0
REFUSED: Final = 1
DIFFERENT: Final = 3
LARGEST_DOCUMENT: Final = 64 * 1024 * 1024


class CommandRefused(Exception):  # noqa: N818 - a refusal, told in one sentence
    """The command cannot do what was asked; str(error) says why."""


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command writes. Data goes to `out`, everything else to `err`."""

    out: TextIO
    err: TextIO

    def say(self, text: str) -> None:
        """A line, or several, for people."""
        if text:
            self.out.write(text if text.endswith("\n") else f"{text}\n")

    def warn(self, text: str) -> None:
        """A line about something that went wrong, or might."""
        self.err.write(f"{text}\n")

    def data(self, value: Any) -> None:
        """One JSON value."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        self.out.write(orjson.dumps(value, option=options).decode() + "\n")

    def problems(self, problems: tuple[Problem, ...], *, kind: str = "") -> None:
        """One line for each problem."""
        for problem in problems:
            self.warn(f"{kind}{problem}")


def read_document(file: str, parse: Callable[[str], Any] = parse_text) -> Any:
    """The raw document of a file, or of standard input for `-`."""
    try:
        return parse(_read(file).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid([Problem("gateway.E001", "", f"{file} is not UTF-8")]) from error


def read_text(file: str) -> str:
    """The text of a file, or of standard input for `-`."""
    try:
        return _read(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandRefused(f"{file} is not UTF-8") from error


def _read(file: str) -> bytes:
    try:
        return _read_bounded(file)
    except OSError as error:
        raise CommandRefused(f"{file}: {error.strerror or error}") from error


def _read_bounded(file: str) -> bytes:
    if file == "-":
        text = sys.stdin.buffer.read(LARGEST_DOCUMENT + 1)
    else:
        with Path(file).open("rb") as opened:
            text = opened.read(LARGEST_DOCUMENT + 1)
    if len(text) > LARGEST_DOCUMENT:
        raise CommandRefused(f"{file} is larger than {LARGEST_DOCUMENT >> 20} MB")
    return text


def author(options: argparse.Namespace) -> Actor:
    """Who `--as` names, with the account of that name if there is one; else the operating-system user."""
    name: str = options.as_user or _system_user()
    user = get_user_model()._default_manager.filter(username=name).only("pk").first()
    return Actor(name, user.pk if user else None)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")


def add_author(parser: argparse.ArgumentParser) -> None:
    """`--as USER` and `-m MESSAGE`."""
    parser.add_argument(
        "--as", dest="as_user", metavar="USER", help="the author (default: the operating-system user)"
    )
    parser.add_argument("-m", "--message", default="", help="what and why, kept in the history")


def whole(least: int, most: int = 1_000_000_000) -> Callable[[str], int]:
    """A whole number between these, for argparse: anything else is wrong usage."""

    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,19}", text) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"want a number from {least} to {most}, not {text!r}")

    return read


def add_limit(parser: argparse.ArgumentParser) -> None:
    """`--limit N`."""
    parser.add_argument(
        "--limit", type=whole(0), default=50, metavar="N", help="at most N (default 50; 0: all)"
    )


def add_file(parser: argparse.ArgumentParser) -> None:
    """FILE."""
    parser.add_argument("file", metavar="FILE", help="a YAML or JSON document; - is standard input")
