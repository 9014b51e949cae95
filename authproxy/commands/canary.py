"""D: `gateway canary list`, `pause`, `resume`, `promote`, `rollback` and `restart`."""

import argparse
from functools import partial
from typing import Any

from authproxy.canaries import WORDS, as_json
from authproxy.commands.shared import add_change, add_group, add_list, add_reason, listed, obeying, told
from resilience.canary import Word
from resilience.models import CanaryState
from routing import canarying
from routing.commands.console import Console, author


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "canary", "new services whose share of a route grows by schedule")
    add_list(commands, "every canary, its share, and why", run_list)
    for name, words in (
        ("pause", "keep its share as it is"),
        ("resume", "go on from where it was paused"),
        ("promote", "send it everything, everywhere within a second"),
        ("rollback", "send it nothing, everywhere within a second"),
        ("restart", "begin again with its first step"),
    ):
        add_reason(add_change(commands, name, words, partial(run_steer, word=WORDS[name])))


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway canary list`."""
    rows = CanaryState.objects.exclude(stage=canarying.ENDED)
    return listed(rows, options, console, as_json=as_json, line=_line)


def run_steer(options: argparse.Namespace, console: Console, *, word: Word) -> int:
    """`gateway canary pause ROUTE` and the others; NAME is the route's."""
    with obeying():
        row = canarying.steer(options.name, word, by=author(options).name, reason=options.reason)
    return told(
        options, console, as_json(row), f"{row.route}: {_stage(row)} at {canarying.percent_of(row):g} %"
    )


def _stage(row: CanaryState) -> str:
    return row.stage.replace("_", " ")


def _line(row: CanaryState) -> str:
    shown = as_json(row)
    parts = (
        f"{row.route:<30} {_stage(row):<11}",
        f"{shown['percent']:g} % to {row.service}",
        f"step {shown['step']} of {len(shown['steps'])}",
        f"since {shown['since']}",
        f"next at {shown['next_at']}" if shown["next_at"] else "",
        f"{shown['failures']} of {shown['requests']} failed" if shown["requests"] else "",
        f"by {row.by}",
        f"({row.reason})" if row.reason else "",
    )
    return "  ".join(filter(None, parts)).rstrip()
