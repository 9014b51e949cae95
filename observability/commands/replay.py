"""D: `gateway replay`: what would become of recorded requests by the draft, or a revision; sends nothing."""

import argparse
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from observability.replay.judging import KINDS
from observability.replay.replaying import MOST, USUAL_S, Busy, Span, replay
from observability.replay.results import Found
from routing.commands.console import DIFFERENT, OK, CommandRefused, Console, add_json, whole
from routing.document.scalars import parse_duration
from routing.explaining import DRAFT, HIGHEST_REVISION, NoRevision, Which

BUDGET_S: Final = 120.0
SHOWN: Final = 5


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser(
        "replay", help="what would become of recorded requests by the draft, or a revision; sends nothing"
    )
    parser.add_argument(
        "--against", type=_which, default=DRAFT, metavar="draft|N", help="by what (default: the draft)"
    )
    parser.add_argument(
        "--last", type=_duration, default=USUAL_S, metavar="D", help="how far back, such as 15m (default: 1h)"
    )
    parser.add_argument(
        "--limit",
        type=whole(1, MOST),
        default=MOST,
        metavar="N",
        help=f"the newest N of them, at most {MOST}",
    )
    parser.add_argument("--kind", choices=KINDS[1:], default="", help="list only these")
    add_json(parser)
    parser.set_defaults(run=run_replay)


def run_replay(options: argparse.Namespace, console: Console) -> int:
    """`gateway replay`: 3 where something would not be the same, 0 where nothing is known to be."""
    span = Span(since=timezone.now() - timedelta(seconds=options.last), most=options.limit)
    try:
        found = replay(options.against, span, budget_s=BUDGET_S)
    except (NoRevision, Busy) as error:
        raise CommandRefused(str(error)) from None
    if options.as_json:
        shown = {"groups": [group.as_json() for group in found.groups(options.kind)]}
        requests = {"requests": [item.as_json() for item in found.of(options.kind)]}
        console.data({**found.as_json(), **shown, **requests})
    else:
        _tell(found, options.kind, console)
    return DIFFERENT if found.differing else OK


def _tell(found: Found, kind: str, console: Console) -> None:
    for sentence in found.summary():
        console.say(sentence)
    for group in found.groups(kind):
        console.say(f"{group.count} × {group.told}")
        alike = [item for item in found.of(kind) if item.common == group.example.common]
        for item in alike[:SHOWN]:
            console.say(item.line())
        if len(alike) > SHOWN:
            console.say(f"  … and {len(alike) - SHOWN} more")


def _which(text: str) -> Which:
    if text == DRAFT:
        return "draft"
    if text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= HIGHEST_REVISION:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither draft nor the number of a revision")


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration, such as 15m or 1h") from error
