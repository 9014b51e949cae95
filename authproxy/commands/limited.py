"""D: `gateway limited`: whom quotas refused in the last hour, and why."""

import argparse
from typing import Any

from authproxy.commands.shared import listed
from authproxy.limited import caller_text
from authproxy.limitedlog import as_json
from authproxy.models import LimitedCaller
from authproxy.moments import rfc3339
from routing.commands.console import Console, add_json


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser("limited", help="whom quotas refused in the last hour, the latest first")
    parser.add_argument("--quota", metavar="NAME", help="only by this quota")
    parser.add_argument("--request", metavar="ID", help="only where this was one of the last requests")
    add_json(parser)
    parser.set_defaults(run=run_limited)


def run_limited(options: argparse.Namespace, console: Console) -> int:
    """`gateway limited`."""
    rows = LimitedCaller.objects.all()
    if options.quota:
        rows = rows.filter(quota=options.quota)
    if options.request:
        rows = rows.filter(request_ids__contains=options.request)
    return listed(rows, options, console, as_json=as_json, line=_line)


def _line(row: LimitedCaller) -> str:
    counts = f"{row.refused} refused" if row.refused else ""
    would = f"{row.would_refuse} would be refused" if row.would_refuse else ""
    parts = (
        f"{caller_text(row.caller):<30} quota {row.quota}: {row.limit} per {row.period}",
        f"route {row.route}",
        ", ".join(filter(None, (counts, would))),
        f"last {rfc3339(row.last_at)}",
        f"room again {rfc3339(row.room_at)}" if row.is_limited else "",
    )
    return "  ".join(filter(None, parts))
