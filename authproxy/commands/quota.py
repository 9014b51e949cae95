"""D: `gateway quota list` and `reset`: what calendar quotas have counted."""

import argparse
from itertools import islice
from typing import Any

from authproxy.commands.shared import add_group, add_list, add_options, add_reason, told
from authproxy.quotacounts import as_json, current, of_key, of_quota
from authproxy.quotaresets import ResetRefused, reset
from resilience.models import QuotaCount
from routing.auditing import gathering
from routing.commands.console import OK, CommandRefused, Console, author

AT_ONCE = 500


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "quota", "what quotas of a day and a month have counted")
    parser = add_list(commands, "every count, the highest first", run_list)
    parser.add_argument("--quota", metavar="NAME", help="of this quota alone")
    parser.add_argument("--key", metavar="TEXT", help="only keys with this text in them")
    parser = commands.add_parser(
        "reset", help="count a caller from nothing again, everywhere within a second"
    )
    parser.add_argument("quota", metavar="QUOTA")
    parser.add_argument("key", metavar="KEY", help="as listed: consumer:ada")
    add_options(parser)
    add_reason(parser)
    parser.set_defaults(run=run_reset)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway quota list`."""
    rows = QuotaCount.objects.filter(current()).order_by("-count", "pk")
    if options.quota:
        rows = rows.filter(of_quota(options.quota))
    if options.key:
        rows = rows.filter(bucket__contains=options.key)
    if options.as_json:
        console.data(as_json(rows))
        return OK
    many = rows.iterator(chunk_size=AT_ONCE)
    while some := list(islice(many, AT_ONCE)):
        for each in as_json(some):
            console.say(_line(each))
    return OK


def run_reset(options: argparse.Namespace, console: Console) -> int:
    """`gateway quota reset QUOTA KEY`."""
    rows = QuotaCount.objects.filter(of_key(options.quota, options.key)) if _is_text(options) else ()
    buckets = [row.bucket for row in rows]
    if not buckets:
        raise CommandRefused(
            f'"{options.quota}" has counted nothing of "{options.key}": see `gateway quota list`'
        )
    by = author(options).name
    try:
        with gathering():
            found = [reset(bucket, by=by, reason=options.reason) for bucket in buckets]
    except ResetRefused as refusal:
        raise CommandRefused(f"nothing was reset: {refusal}") from refusal
    data = {"quota": options.quota, "key": options.key, "forgotten": [each.count for each in found], "by": by}
    text = ", ".join(f"{each.count}" for each in found)
    return told(options, console, data, f"{options.key} of {options.quota}: reset from {text}")


def _is_text(options: argparse.Namespace) -> bool:
    return "\0" not in options.quota + options.key


def _line(shown: dict[str, Any]) -> str:
    limit = "" if shown["limit"] is None else f" of {shown['limit']}, {shown['left']} left"
    used = f"{shown['used']}{limit}"
    return f"{shown['key']:<30} {shown['quota']} by the {shown['per']}: {used}  until {shown['ends_at']}"
