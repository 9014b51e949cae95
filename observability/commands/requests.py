"""D: `gateway requests list`, `show` and `tail`."""

import argparse
import time
from typing import Any, Final

import orjson
from django.db.models import Max

from authproxy.commands.shared import add_group, moment
from observability.models import KeptRequest
from observability.requests.querying import PAGE, Filters, found, newest, page_of, status_fault
from observability.requests.showing import as_json, in_full, line
from routing.commands.console import OK, CommandRefused, Console, add_json, whole

POLL_S: Final = 1.0
OVERLAP: Final = 500
"""Rows of several workers may become visible in another order than that of their numbers."""
MOST: Final = 10_000
FIELDS: Final = ("code", "route", "service", "consumer", "client", "method", "path")


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(
        subparsers, "requests", "requests that were kept: what went wrong, and a sample of the rest"
    )
    parser = commands.add_parser("list", help="the latest that fit, the newest first")
    _add_filters(parser)
    parser.add_argument("--since", type=moment, metavar="TIME", help="such as 2030-12-31T12:00:00Z")
    parser.add_argument("--until", type=moment, metavar="TIME")
    parser.add_argument(
        "--limit", type=whole(1, MOST), default=PAGE, metavar="N", help=f"at most N (default {PAGE})"
    )
    add_json(parser)
    parser.set_defaults(run=run_list)
    parser = commands.add_parser("show", help="one request, and why it was answered as it was")
    parser.add_argument(
        "id", metavar="ID", help="X-Request-ID of its answer, or the number that `list` shows"
    )
    add_json(parser)
    parser.set_defaults(run=run_show)
    parser = commands.add_parser("tail", help="those that fit, as they come; Ctrl-C ends it")
    _add_filters(parser)
    parser.add_argument("--for", dest="for_s", type=float, metavar="SECONDS", help="end by itself")
    add_json(parser)
    parser.set_defaults(run=run_tail)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status", default="", metavar="S", help="such as 404, or 5xx")
    for name in FIELDS:
        parser.add_argument(f"--{name}", default="", metavar=name.upper())
    parser.add_argument(
        "--would", default="", metavar="POLICY", help="what a policy in mode log would refuse"
    )


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway requests list`."""
    wanted = _filters(options, since=options.since, until=options.until)
    rows = page_of(wanted, size=options.limit, budget_s=60.0).rows
    if options.as_json:
        console.data([as_json(row) for row in rows])
    for row in [] if options.as_json else rows:
        console.say(line(row))
    return OK


def run_show(options: argparse.Namespace, console: Console) -> int:
    """`gateway requests show ID`."""
    row = found(options.id)
    if row is None:
        raise CommandRefused(f'no request "{options.id}" was kept')
    shown = in_full(row)
    if options.as_json:
        console.data(shown)
        return OK
    console.say(line(row))
    for sentence in shown["why"]:
        console.say(f"  {sentence}")
    for name, took in row.facts.get("phases", {}).items():
        console.say(f"  {name:<10} {took} ms")
    for name, value in row.facts.get("headers", ()):
        console.say(f"  > {name}: {value}")
    return OK


def run_tail(options: argparse.Namespace, console: Console) -> int:
    """`gateway requests tail`: each row once, in the order in which they come."""
    wanted = _filters(options)
    ends_at = None if options.for_s is None else time.monotonic() + options.for_s
    top = KeptRequest.objects.aggregate(top=Max("pk"))["top"] or 0
    seen: set[int] = set(KeptRequest.objects.filter(pk__gt=top - OVERLAP).values_list("pk", flat=True))
    while ends_at is None or time.monotonic() < ends_at:
        rows = newest(wanted, after=max(0, top - OVERLAP), size=2 * OVERLAP)
        for row in rows:
            if row.pk not in seen:
                console.say(_told(row, as_json_line=options.as_json))
        top = max([top, *(row.pk for row in rows)])
        seen = {pk for pk in seen | {row.pk for row in rows} if pk > top - 2 * OVERLAP}
        console.out.flush()
        time.sleep(POLL_S)
    return OK


def _told(row: KeptRequest, *, as_json_line: bool) -> str:
    return orjson.dumps(as_json(row)).decode() if as_json_line else line(row)


def _filters(options: argparse.Namespace, **more: Any) -> Filters:
    if fault := status_fault(options.status):
        raise CommandRefused(f"--status {options.status!r}: {fault}")
    given = {name: getattr(options, name) for name in (*FIELDS, "status", "would")}
    return Filters(**given, **more)
