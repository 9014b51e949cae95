"""D: `gateway keys rotate` and `keys list`: the keys that sign the gateway's tokens."""

import argparse
from typing import Any

from django.db import transaction

from authproxy import signingkeys
from authproxy.commands.shared import add_group, add_list, add_options, told
from authproxy.moments import rfc3339
from routing.commands.console import OK, CommandRefused, Console, author


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "keys", "the keys that sign the gateway's tokens")

    rotate = commands.add_parser(
        "rotate", help="make the next key; the one before it verifies until its last token has expired"
    )
    add_options(rotate)
    rotate.set_defaults(run=run_rotate)

    add_list(commands, "the keys made by rotation, newest first", run_list)


def run_rotate(options: argparse.Namespace, console: Console) -> int:
    """`gateway keys rotate`."""
    actor = author(options)
    try:
        row = signingkeys.shared().rotate(actor=actor.name)
    except signingkeys.RotationRefused as refusal:
        raise CommandRefused(str(refusal)) from refusal
    text = f"key {row.kid} ({row.algorithm}) signs from {rfc3339(row.activates_at)}"
    return told(options, console, signingkeys.as_json(row, "next"), text)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway keys list`."""
    with transaction.atomic():
        rows = signingkeys.listed()
    if options.as_json:
        console.data([signingkeys.as_json(row, state) for row, state in rows])
    elif not rows:
        console.say("no key was made by rotation yet")
    for row, state in () if options.as_json else rows:
        retires = f", until {rfc3339(row.retires_at)}" if row.retires_at else ""
        console.say(f"{row.kid}  {row.algorithm:<5}  {state:<8}  from {rfc3339(row.activates_at)}{retires}")
    return OK
