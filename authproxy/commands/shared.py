"""D: What the commands about access share: who does it, roles by name, refusals in one line."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from authproxy import eventlog
from authproxy.liveroles import live_roles
from authproxy.models import Consumer
from routing.commands.console import OK, CommandRefused, Console, add_json
from routing.document.scalars import parse_duration
from routing.ordering import OrderRefused
from routing.problems import did_you_mean

Row = TypeVar("Row", bound=Model)
Run = Callable[[argparse.Namespace, Console], int]


def add_group(subparsers: Any, name: str, words: str) -> Any:
    """A command that has commands of its own."""
    parser = subparsers.add_parser(name, help=words)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--json` and `--as USER`."""
    add_json(parser)
    parser.add_argument(
        "--as", dest="as_user", metavar="USER", help="who does it (default: the operating-system user)"
    )


def add_list(commands: Any, words: str, run: Run) -> argparse.ArgumentParser:
    """`list`."""
    parser: argparse.ArgumentParser = commands.add_parser("list", help=words)
    add_json(parser)
    parser.set_defaults(run=run)
    return parser


def add_change(commands: Any, name: str, words: str, run: Run) -> argparse.ArgumentParser:
    """A command that changes what has a name."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words)
    parser.add_argument("name", metavar="NAME")
    add_options(parser)
    parser.set_defaults(run=run)
    return parser


def add_reason(parser: argparse.ArgumentParser) -> None:
    """`--reason TEXT`."""
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the history")


def add_roles(parser: argparse.ArgumentParser) -> None:
    """`--role R`, any number of times."""
    parser.add_argument(
        "--role", action="append", default=[], metavar="R", dest="roles", help="several times"
    )


@contextmanager
def changing() -> Iterator[None]:
    """Around a change: what is wrong with it is told in one line, and security events are kept."""
    try:
        with eventlog.kept():
            yield
    except ValidationError as error:
        raise CommandRefused(_in_one_line(error)) from error


@contextmanager
def obeying() -> Iterator[None]:
    """Around an operator's order: what is refused is told in one line."""
    try:
        yield
    except OrderRefused as refusal:
        raise CommandRefused(str(refusal)) from refusal


def _in_one_line(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    parts = []
    for field, messages in error.message_dict.items():
        text = " ".join(messages)
        parts.append(text if field == "__all__" else f"{field}: {text}")
    return "; ".join(parts)


def groups_named(names: Iterable[str], console: Console) -> list[Group]:
    """Django groups of these names. One that is new is made, with a word about it."""
    found = []
    for name in dict.fromkeys(names):
        group, is_new = Group.objects.get_or_create(name=name)
        known = live_roles().scopes
        if is_new and name not in known:
            console.warn(f'warning: role "{name}" is new, and brings no scopes{did_you_mean(name, known)}')
        found.append(group)
    return found


def consumer_named(name: str) -> Consumer:
    """The consumer; refused with a hint if there is none."""
    found = Consumer.objects.filter(name=name).select_related("user").first()
    if found is None:
        names = Consumer.objects.values_list("name", flat=True)[:1000]
        raise CommandRefused(f'there is no consumer "{name}"{did_you_mean(name, names)}')
    return found


def user_named(name: str) -> User:
    """The account; refused with a hint if there is none."""
    found = User.objects.filter(username=name).first()
    if found is None:
        names = User.objects.values_list("username", flat=True)[:1000]
        raise CommandRefused(f'there is no user "{name}"{did_you_mean(name, names)}')
    return found


def moment(text: str) -> datetime:
    """A time from now (`30d`), a day (its end, UTC) or a time, for argparse."""
    try:
        if at := parse_datetime(text) if "T" in text or " " in text else None:
            return at if timezone.is_aware(at) else timezone.make_aware(at)
        if day := parse_date(text):
            return timezone.make_aware(datetime(day.year, day.month, day.day)) + timedelta(days=1)
        return timezone.now() + timedelta(seconds=parse_duration(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a duration up to 366d, such as 30d, nor a date, such as 2030-12-31"
        ) from error


def listed(
    rows: QuerySet[Row],
    options: argparse.Namespace,
    console: Console,
    *,
    as_json: Callable[[Row], dict[str, Any]],
    line: Callable[[Row], str],
) -> int:
    """A line for each row, or all as JSON."""
    if options.as_json:
        console.data([as_json(row) for row in rows])
        return OK
    for row in rows.iterator(chunk_size=1000):
        console.say(line(row))
    return OK


def told(options: argparse.Namespace, console: Console, data: dict[str, Any], text: str) -> int:
    """What was done: as JSON, or in a line."""
    if options.as_json:
        console.data(data)
    else:
        console.say(text)
    return OK


def told_switched(
    options: argparse.Namespace, console: Console, data: dict[str, Any], *, is_on: bool, changed: int
) -> int:
    """Who was let in or shut out, if that changed anything."""
    word = "enabled" if is_on else "disabled"
    return told(options, console, data, f"{word} {options.name}" if changed else "nothing to do")
