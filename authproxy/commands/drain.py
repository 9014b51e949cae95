"""D: `gateway drain SERVICE TARGET`."""

import argparse
from typing import Any

from authproxy.commands.shared import add_options, add_reason, obeying, told
from routing.commands.console import Console, author
from routing.commands.documents import describe, sentence
from routing.draining import drain


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser("drain", help="let a target finish what it has, and give it nothing new")
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("target", metavar="TARGET", help="its URL")
    parser.add_argument("--undo", action="store_true", help="give it requests again")
    add_options(parser)
    add_reason(parser)
    parser.set_defaults(run=run_drain)


def run_drain(options: argparse.Namespace, console: Console) -> int:
    """A revision, or under review a draft."""
    with obeying():
        outcome = drain(
            options.service,
            options.target,
            undo=options.undo,
            actor=author(options),
            reason=options.reason,
            source="cli",
        )
    done = "takes requests again" if options.undo else "drains"
    line = f"{options.target} of {options.service} {done}: {sentence(outcome)}"
    return told(options, console, describe(outcome), line)
