"""D: `gateway schedule list`, `add`, `approve` and `cancel`: changes that come, and go again, by themselves."""

import argparse
from datetime import datetime
from typing import Any

from django.utils import timezone

from routing.commands.console import (
    OK,
    CommandRefused,
    Console,
    add_author,
    add_json,
    add_limit,
    author,
    read_document,
)
from routing.localtimes import BadTime, moment, shown
from routing.locking import reading
from routing.models import Schedule
from routing.scheduleshape import as_json
from routing.scheduling import add as schedule
from routing.scheduling import add_draft, approve, cancel


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    parser = subparsers.add_parser("schedule", help="changes that come, and go again, by themselves")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="what is scheduled, and how it stands; newest first")
    add_limit(listing)
    add_json(listing)
    listing.set_defaults(run=run_list)

    adding = commands.add_parser("add", help="publish a document, or the draft, at a time")
    what = adding.add_mutually_exclusive_group(required=True)
    what.add_argument("--file", metavar="FILE", help="only the keys that change; - is standard input")
    what.add_argument("--draft", action="store_true", help="the draft, which leaves the rows until then")
    adding.add_argument("--from", dest="starts", required=True, metavar="TIME", help="2026-11-27 09:00")
    adding.add_argument(
        "--until", default="", metavar="TIME", help="when it is taken back (default: it stays)"
    )
    adding.add_argument("--zone", default="UTC", help="of both times, such as Europe/Berlin (default UTC)")
    add_author(adding)
    add_json(adding)
    adding.set_defaults(run=run_add)

    for name, words, run in (
        ("approve", "let it run; by somebody who has no hand in it", run_approve),
        ("cancel", "it never begins; if it has, it is taken back now", run_cancel),
    ):
        deciding = commands.add_parser(name, help=words)
        deciding.add_argument("number", type=int, metavar="N")
        add_author(deciding)
        add_json(deciding)
        deciding.set_defaults(run=run)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway schedule list`."""
    with reading():
        query = Schedule.objects.defer("edits", "applied")
        rows = list(query[: options.limit] if options.limit > 0 else query)
    if options.as_json:
        console.data([as_json(row) for row in rows])
    elif not rows:
        console.say("nothing is scheduled")
    else:
        for row in rows:
            console.say(_line(row))
    return OK


def run_add(options: argparse.Namespace, console: Console) -> int:
    """`gateway schedule add`."""
    when: dict[str, Any] = {
        "actor": author(options),
        "zone": options.zone,
        "starts_at": _moment(options.starts, options.zone),
        "ends_at": _moment(options.until, options.zone) if options.until else None,
        "reason": options.message,
        "now": timezone.now(),
    }
    row = add_draft(**when) if options.draft else schedule(read_document(options.file), **when)
    return _told(row, options, console)


def run_approve(options: argparse.Namespace, console: Console) -> int:
    """`gateway schedule approve N`."""
    return _told(approve(options.number, actor=author(options)), options, console)


def run_cancel(options: argparse.Namespace, console: Console) -> int:
    """`gateway schedule cancel N`."""
    return _told(cancel(options.number, actor=author(options), reason=options.message), options, console)


def _moment(text: str, zone: str) -> datetime:
    try:
        return moment(text, zone)
    except BadTime as error:
        raise CommandRefused(str(error)) from None


def _told(row: Schedule, options: argparse.Namespace, console: Console) -> int:
    if options.as_json:
        console.data(as_json(row))
    else:
        console.say(_line(row))
    return OK


def _line(row: Schedule) -> str:
    until = f"until {shown(row.ends_at, row.zone)}" if row.ends_at else ""
    parts = (
        f"{row.pk:>5}  {row.state:<9}",
        f"from {shown(row.starts_at, row.zone)}",
        until,
        row.summary,
        f"by {row.author}",
        f"approved by {row.approved_by}" if row.approved_by else "",
        f"({row.reason})" if row.reason else "",
        f"[{'; '.join(row.note.splitlines())}]" if row.note else "",
    )
    return "  ".join(filter(None, parts))
