"""D: `gateway publish`, `discard`, `revisions` and `rollback`."""

import argparse
from typing import Any

from routing.commands.console import OK, Console, add_author, add_json, add_limit, author
from routing.commands.documents import describe, show_changes
from routing.drafts import made_by
from routing.locking import reading
from routing.models import Revision
from routing.publishing import Outcome, discard, publish, rollback


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    publish_parser = subparsers.add_parser("publish", help="make the draft live, as a new revision")
    add_author(publish_parser)
    add_json(publish_parser)
    publish_parser.set_defaults(run=run_publish)

    discard_parser = subparsers.add_parser("discard", help="throw the draft away")
    add_author(discard_parser)
    add_json(discard_parser)
    discard_parser.set_defaults(run=run_discard)

    revisions = subparsers.add_parser("revisions", help="the history of the configuration, newest first")
    add_limit(revisions)
    add_json(revisions)
    revisions.set_defaults(run=run_revisions)

    rollback_parser = subparsers.add_parser("rollback", help="back to revision N, as a new revision")
    rollback_parser.add_argument("number", type=int, metavar="N")
    add_author(rollback_parser)
    add_json(rollback_parser)
    rollback_parser.set_defaults(run=run_rollback)


def run_publish(options: argparse.Namespace, console: Console) -> int:
    """`gateway publish`."""
    return _show(publish(actor=author(options), message=options.message, source="cli"), options, console)


def run_discard(options: argparse.Namespace, console: Console) -> int:
    """`gateway discard`."""
    return _show(discard(actor=author(options), source="cli"), options, console)


def run_rollback(options: argparse.Namespace, console: Console) -> int:
    """`gateway rollback N`."""
    outcome = rollback(options.number, actor=author(options), message=options.message, source="cli")
    return _show(outcome, options, console)


def run_revisions(options: argparse.Namespace, console: Console) -> int:
    """`gateway revisions`."""
    with reading():
        query = Revision.objects.order_by("-number").defer("document")
        rows = list(query[: options.limit] if options.limit > 0 else query)
    if options.as_json:
        console.data([_as_json(row) for row in rows])
    elif not rows:
        console.say("no revision yet")
    else:
        for row in rows:
            console.say(_line(row))
    return OK


def _as_json(row: Revision) -> dict[str, Any]:
    return {
        "number": row.number,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "author": row.author,
        "message": row.message,
        "source": row.source,
        "parent": row.parent,
        "digest": row.digest,
        "changes": row.changes,
        "edits": row.edits or [],
    }


def _line(row: Revision) -> str:
    when = row.created_at.strftime("%Y-%m-%d %H:%M:%S")
    message = " ".join(row.message.split())
    return "  ".join(
        filter(None, [f"{row.number:>5}", when, made_by(row), message, (row.changes or {}).get("summary")])
    )


def _show(outcome: Outcome, options: argparse.Namespace, console: Console) -> int:
    if options.as_json:
        console.data(describe(outcome))
    else:
        show_changes(outcome, console)
    return OK
