"""D: `gateway sockets list` and `end`."""

import argparse
from typing import Any

from authproxy.commands.shared import add_group, add_list, add_options, add_reason, listed, obeying, told
from realtime.ending import as_json, end_all, end_some, ending_as_json
from realtime.models import LiveSocket
from routing.commands.console import CommandRefused, Console, author


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "sockets", "live WebSocket connections of all workers, and ending them")
    parser = add_list(commands, "connections through routes, the latest first", run_list)
    parser.add_argument("--route", metavar="NAME", help="of this route alone")
    parser.add_argument("--user", metavar="NAME", help="of this caller alone")
    parser = commands.add_parser("end", help="end connections, on every worker within a second")
    parser.add_argument("ids", metavar="ID", nargs="*", type=int, help="as `list` shows it")
    parser.add_argument("--route", metavar="NAME", default="", help="all of this route")
    parser.add_argument("--all", action="store_true", help="all that there are")
    add_options(parser)
    add_reason(parser)
    parser.set_defaults(run=run_end)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway sockets list`."""
    rows = LiveSocket.objects.all()
    if options.route:
        rows = rows.filter(route=options.route)
    if options.user:
        rows = rows.filter(user=options.user)
    return listed(rows, options, console, as_json=as_json, line=_line)


def run_end(options: argparse.Namespace, console: Console) -> int:
    """`gateway sockets end ID… | --route NAME | --all`."""
    if sum(map(bool, (options.ids, options.route, options.all))) != 1:
        raise CommandRefused("say which: one or more ids, --route NAME, or --all")
    by, reason = author(options).name, options.reason
    with obeying():
        if options.ids:
            rows = end_some(options.ids, by=by, reason=reason)
        else:
            rows = [end_all(route=options.route, by=by, reason=reason)]
    text = "\n".join(f"ended {row.what}" for row in rows)
    return told(options, console, {"endings": [ending_as_json(row) for row in rows]}, text)


def _line(row: LiveSocket) -> str:
    shown = as_json(row)
    return (
        f"{row.pk:<8} {shown['user'] or 'anonymous':<24} {shown['address']:<16} {shown['route']:<24} "
        f"since {shown['since']}  {shown['received']} bytes in, {shown['sent']} out  {shown['target']}"
    )
