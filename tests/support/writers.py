"""D: Several processes that change the configuration at once; prints what came of it as one JSON object.

Run as a program (arguments: writers, rounds) on an empty database of its own (DATABASE_URL).
"""

# ruff: noqa: E402 - models can be imported once Django is set up

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import django

django.setup()

from django.core.management import call_command
from django.db import connections, transaction

from routing.document.canonical import canonicalise
from routing.drafts import Actor
from routing.loader import read_rows
from routing.locking import hold_lock
from routing.models import EditConflict, Revision, Route
from routing.publishing import apply_document, publish_rows_after_edit
from tests.support.configuration import route, service

WRITERS, ROUNDS = map(int, sys.argv[1:])


def main() -> None:
    call_command("migrate", verbosity=0)
    apply_document(
        {"version": 1, "services": [service()], "routes": [route(timeout="1s")]}, actor=Actor("test")
    )
    connections.close_all()
    children = [in_child(writer) for writer in range(WRITERS)]
    conflicts = sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    revisions = list(Revision.objects.order_by("number"))
    document = json.loads(revisions[-1].document)
    print(  # noqa: T201
        json.dumps(
            {
                "numbers": [revision.number for revision in revisions],
                "parents": [revision.parent for revision in revisions],
                "services": [entry["name"] for entry in document["services"]],
                "edits": int(document["routes"][0]["timeout"][:-1]),
                "conflicts": conflicts,
                "rows_are_live": canonicalise(read_rows()) == document,
            }
        )
    )


def in_child(writer: int) -> int:
    child = os.fork()
    if child == 0:
        conflicts = 0
        for turn in range(ROUNDS):
            apply_document(
                {"version": 1, "services": [service(f"w{writer}-{turn}")]}, actor=Actor(f"w{writer}")
            )
            conflicts += count_up(writer)
        os._exit(conflicts)
    return child


def count_up(writer: int) -> int:
    """Adds one second to the route's timeout as a form would: read, think, save; 1 if it was refused."""
    row = Route.objects.get()
    try:
        with transaction.atomic():
            hold_lock()
            row.timeout = f"{int(row.timeout[:-1]) + 1}s"
            row.save()
            publish_rows_after_edit(actor=Actor(f"w{writer}"))
    except EditConflict:
        return 1
    return 0


if __name__ == "__main__":
    main()
