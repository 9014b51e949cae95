"""D: `gateway breaker list`, `open`, `close`, `release` and `reset`."""

import argparse
from functools import partial
from typing import Any

from authproxy.breakers import as_json
from authproxy.commands.shared import (
    add_change,
    add_group,
    add_list,
    add_reason,
    listed,
    moment,
    obeying,
    told,
)
from resilience.breaker import State
from resilience.models import BreakerState
from routing import breaking
from routing.commands.console import Console, author

_DONE = {State.OPEN: "forced open", State.CLOSED: "forced closed", None: "no longer forced"}


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "breaker", "circuit breakers of services")
    add_list(commands, "every breaker, and who forced it", run_list)
    for name, state, words in (
        ("open", State.OPEN, "send a service nothing, everywhere within a second"),
        ("close", State.CLOSED, "send a service everything, whatever fails"),
        ("release", None, "let what is measured decide again"),
    ):
        parser = add_change(commands, name, words, partial(run_force, state=state))
        add_reason(parser)
        if state is not None:
            parser.add_argument(
                "--until",
                type=moment,
                metavar="D",
                help="a duration (30m) or a date; default: until released",
            )
    add_reason(add_change(commands, "reset", "close it and forget what was counted", run_reset))


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway breaker list`."""
    return listed(BreakerState.objects.all(), options, console, as_json=as_json, line=_line)


def run_force(options: argparse.Namespace, console: Console, *, state: State | None) -> int:
    """`gateway breaker open NAME`, `close NAME` and `release NAME`."""
    until = options.until if state is not None else None
    with obeying():
        row = breaking.force(options.name, state, by=author(options).name, reason=options.reason, until=until)
    return told(options, console, as_json(row), f"{row.service}: {_DONE[state]}")


def run_reset(options: argparse.Namespace, console: Console) -> int:
    """`gateway breaker reset NAME`."""
    with obeying():
        row = breaking.reset(options.name, by=author(options).name, reason=options.reason)
    return told(options, console, as_json(row), f"{row.service}: reset")


def _line(row: BreakerState) -> str:
    shown = as_json(row)
    parts = (
        f"{row.service:<30} {shown['state']:<9}",
        f"since {shown['since']}" if shown["since"] else "",
        f"{shown['failures']} of {shown['requests']} failed" if shown["requests"] else "",
        f"forced by {row.forced_by}" if row.forced else "",
        f"until {shown['until']}" if row.forced_until else "",
        f"({row.reason})" if row.reason else "",
    )
    return "  ".join(filter(None, parts)).rstrip()
