"""D: `gateway slo`: what routes promise, what they keep, and what is left of their error budgets."""

import argparse
import time
from typing import Any

from observability.slo.standing import in_words, standing
from routing.commands.console import OK, Console, add_json


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser(
        "slo", help="objectives of routes, and what is left of their error budgets"
    )
    parser.add_argument("route", metavar="ROUTE", nargs="?", help="of this route alone")
    add_json(parser)
    parser.set_defaults(run=run_slo)


def run_slo(options: argparse.Namespace, console: Console) -> int:
    """`gateway slo [ROUTE]`."""
    found = standing(time.time(), route=options.route)
    if options.as_json:
        console.data(found)
        return OK
    for entry in found:
        console.say(f"{entry['route']:<24} {in_words(entry)}")
    if not found:
        console.say("no route has an objective: say `slo` in its configuration")
    return OK
