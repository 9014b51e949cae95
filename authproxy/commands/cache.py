"""D: `gateway cache purge` and `list`."""

import argparse
from typing import Any, Final

from authproxy.commands.shared import add_group, add_list, add_options, add_reason, listed
from resilience.models import CachePurge
from routing import purging
from routing.commands.console import OK, CommandRefused, Console, author
from routing.purgeurls import Kind
from routing.purging import PurgeRefused

_NAMED: Final[tuple[Kind, ...]] = ("route", "tag", "url")


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "cache", "stored answers of services")
    add_list(commands, "what was purged, by whom, the latest first", run_list)
    parser = commands.add_parser("purge", help="serve stored answers no more, everywhere within a second")
    what = parser.add_mutually_exclusive_group(required=True)
    for name, words in (
        ("route", "those of a route"),
        ("tag", "those with a tag"),
        ("url", "those of a URL, or of a path on all hosts"),
    ):
        what.add_argument(
            f"--{name}", action="append", metavar=name[0].upper(), help=f"{words}; several times"
        )
    what.add_argument("--all", action="store_true", help="all of them")
    add_reason(parser)
    add_options(parser)
    parser.set_defaults(run=run_purge)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway cache list`."""
    return listed(CachePurge.objects.all(), options, console, as_json=purging.as_json, line=_line)


def run_purge(options: argparse.Namespace, console: Console) -> int:
    """`gateway cache purge`."""
    kind: Kind = next((kind for kind in _NAMED if getattr(options, kind)), "all")
    values = [""] if kind == "all" else getattr(options, kind)
    try:
        rows = purging.purge(kind, values, by=author(options).name, reason=options.reason)
    except PurgeRefused as refusal:
        raise CommandRefused(str(refusal)) from refusal
    if options.as_json:
        console.data([purging.as_json(row) for row in rows])
        return OK
    for row in rows:
        console.say(f"purged {row}")
    return OK


def _line(row: CachePurge) -> str:
    reason = f"  ({row.reason})" if row.reason else ""
    return f"{row.at:%Y-%m-%dT%H:%M:%SZ}  {row}  by {row.by}{reason}"
