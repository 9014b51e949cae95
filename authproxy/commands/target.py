"""D: `gateway target list` and `readmit`."""

import argparse
from typing import Any

from authproxy.commands.shared import add_group, add_list, add_options, add_reason, listed, obeying, told
from authproxy.standings import as_json, readmission_as_json
from routing.commands.console import Console, author
from routing.readmitting import is_out, readmit, standings


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(
        subparsers, "target", "targets of services: which are left out, and putting them back"
    )
    parser = add_list(commands, "every target that was checked or ejected, and how it is", run_list)
    parser.add_argument("--service", metavar="NAME", help="of this service alone")
    parser.add_argument("--out", action="store_true", help="only those that are ejected or unhealthy")
    parser = commands.add_parser("readmit", help="put a target back, on every worker within a second")
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("url", metavar="URL")
    add_options(parser)
    add_reason(parser)
    parser.set_defaults(run=run_readmit)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway target list`."""
    rows = standings()
    if options.service:
        rows = rows.filter(service=options.service)
    if options.out:
        rows = rows.filter(is_out())
    return listed(rows, options, console, as_json=as_json, line=_line)


def run_readmit(options: argparse.Namespace, console: Console) -> int:
    """`gateway target readmit SERVICE URL`."""
    with obeying():
        row = readmit(options.service, options.url, by=author(options).name, reason=options.reason)
    return told(options, console, readmission_as_json(row), f"{row}: put back")


def _line(row: Any) -> str:
    shown = as_json(row)
    parts = (
        f"{shown['service']:<24} {shown['url']:<32} {shown['state']:<9}",
        f"since {shown['since']}" if shown["since"] else "",
        f"until {shown['until']}" if shown["until"] else "",
        f"({shown['why']})" if shown["why"] else "",
    )
    return "  ".join(filter(None, parts)).rstrip()
