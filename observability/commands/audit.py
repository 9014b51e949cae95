"""D: `gateway audit list`, `verify` and `export`: the trail of changes, and whether it is whole."""

import argparse
import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from observability.audit.chain import Break, Verified, check
from observability.audit.finding import Wanted, as_json, find, further, in_order, line, links
from observability.models import AuditEvent
from routing.commands.console import OK, REFUSED, CommandRefused, Console, add_json, add_limit, whole

_WHOLE: Final = "0" * 64
_MOST_ID: Final = 2**63 - 1


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser("audit", help="who changed what: list, verify, export")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="events, the newest first")
    _add_filters(listing)
    listing.add_argument("--before", type=whole(1, _MOST_ID), metavar="N", help="older than event N")
    add_limit(listing)
    add_json(listing)
    listing.set_defaults(run=run_list)

    verify = commands.add_parser("verify", help="whether every event is as it was written; 1 if not")
    verify.add_argument(
        "--head", metavar="N:HASH", default="", help="an event noted earlier, that must be there still"
    )
    add_json(verify)
    verify.set_defaults(run=run_verify)

    export = commands.add_parser("export", help="events as JSON Lines, the oldest first")
    export.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="where to (default: standard output)"
    )
    _add_filters(export)
    export.set_defaults(run=run_export)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway audit list`."""
    wanted = replace(_wanted(options), before=options.before)
    rows = find(wanted)
    rows = rows[: options.limit] if options.limit > 0 else rows
    count = 0
    if options.as_json:
        console.data(told := [as_json(row) for row in rows.defer(None)])
        count = len(told)
    else:
        for row in rows.iterator(chunk_size=1000):
            console.say(line(row))
            count += 1
    is_full = 0 < options.limit <= count
    if not is_full and (stopped := further(wanted)):
        console.warn(
            f"older events than {stopped} were not looked at: search further with --before {stopped}"
        )
    return OK


def run_verify(options: argparse.Namespace, console: Console) -> int:
    """`gateway audit verify`."""
    number, noted = _head(options.head)
    found: Verified | Break = Verified(0, 0, _WHOLE)
    for found in check(links()):
        if isinstance(found, Verified) and found.number == number and found.hash != noted:
            found = Break(number, "it is not the event that was noted")
            break
    if isinstance(found, Verified) and found.number < number:
        found = Break(number, f"it is gone: the trail ends with {found.number}")
    if isinstance(found, Break):
        said: dict[str, Any] = {"intact": False, "event": found.number, "why": found.why}
        text = f"the audit trail is broken at event {found.number}: {found.why}"
    else:
        said = {"intact": True, "events": found.count, "head": f"{found.number}:{found.hash}"}
        text = f"{found.count} events, intact; head {found.number}:{found.hash}"
    if options.as_json:
        console.data(said)
    else:
        (console.say if said["intact"] else console.warn)(text)
    return OK if said["intact"] else REFUSED


def run_export(options: argparse.Namespace, console: Console) -> int:
    """`gateway audit export`."""
    rows = in_order(_wanted(options))
    if options.file == "-":
        for row in rows:
            console.out.write(_json_line(row))
        return OK
    try:
        count = _write(Path(options.file), rows)
    except OSError as error:
        raise CommandRefused(f"{options.file}: {error.strerror or error}") from error
    console.warn(f"{count} events written to {options.file}")
    return OK


def moment(text: str) -> datetime:
    """A day, which begins at midnight UTC, or a time, for argparse."""
    try:
        at = parse_datetime(text)
        if at is None and (day := parse_date(text)):
            at = datetime(day.year, day.month, day.day)
    except ValueError:
        at = None
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a day, such as 2030-12-31, nor a time")
    return at if timezone.is_aware(at) else timezone.make_aware(at, timezone.get_fixed_timezone(0))


def _write(path: Path, rows: Iterable[AuditEvent]) -> int:
    """Beside the file first, so that there is never half of one; what is no regular file is written to as it is."""
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with path.open("w", encoding="utf-8") as opened:
            return sum(1 for row in rows if opened.write(_json_line(row)))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "w", encoding="utf-8", opener=_private) as opened:
            count = sum(1 for row in rows if opened.write(_json_line(row)))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _json_line(row: AuditEvent) -> str:
    return orjson.dumps(as_json(row)).decode() + "\n"


def _head(text: str) -> tuple[int, str]:
    number, _, noted = text.partition(":")
    if not text:
        return 0, ""
    if not number.isdecimal() or len(noted) != len(_WHOLE):
        raise CommandRefused(
            f"--head wants a number and a hash, N:HASH, as verify prints it, not {text[:100]!r}"
        )
    return int(number), noted


def _wanted(options: argparse.Namespace) -> Wanted:
    kind, _, name = options.object.rpartition(":")
    return Wanted(
        actor=options.actor,
        kind=kind,
        name=name,
        action=options.action,
        since=options.since,
        until=options.until,
        text=options.text,
    )


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=moment, metavar="TIME", help="from this day (UTC) or time on")
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this day (UTC) or time")
    parser.add_argument("--actor", default="", metavar="NAME", help="who did it")
    parser.add_argument(
        "--object", default="", metavar="[KIND:]NAME", help="about what: routes:orders, or orders"
    )
    parser.add_argument("--action", default="", metavar="WORD", help="what was done: breaker.force")
    parser.add_argument(
        "--text", default="", metavar="TEXT", help="words of the summary, the reason or the name"
    )
