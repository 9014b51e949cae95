"""D: A process that applies a document and is killed at every statement in turn; prints what it found.

Run as a program on an empty database of its own (DATABASE_URL). It forks a child for each kill point, so the
kill is a real SIGKILL of a process in the midst of a transaction. Prints one JSON object.
"""

# ruff: noqa: E402 - models can be imported once Django is set up

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import django

django.setup()

from django.core.management import call_command
from django.db import connection, connections

from routing.document.canonical import canonicalise
from routing.drafts import Actor
from routing.loader import read_rows
from routing.models import Revision
from routing.publishing import apply_document
from tests.support.configuration import large, small

OLD = canonicalise(small())
NEW = canonicalise(large(120, services=5))
LIMIT = 200


def main() -> None:
    call_command("migrate", verbosity=0)
    apply_document(OLD, actor=Actor("test"))
    killed, states = 0, []
    for point in range(LIMIT):
        if not apply_and_die_at(point):
            break
        killed += 1
        states.append(observed())
    print(json.dumps({"killed": killed, "states": states, "finally": observed()}))  # noqa: T201


def apply_and_die_at(point: int) -> bool:
    """True if the child was killed before it was done."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        with connection.execute_wrapper(Killer(point)):
            apply_document(NEW, actor=Actor("test"), prune=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


class Killer:
    """Kills its own process right after statement number `point`."""

    def __init__(self, point: int) -> None:
        self.left = point

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        return result


def observed() -> str:
    """Which configuration the database holds, whole: old, new, or a mixture."""
    rows = canonicalise(read_rows())
    newest = Revision.objects.first()
    live = json.loads(newest.document) if newest else None
    for name, document in (("old", OLD), ("new", NEW)):
        if rows == document == live:
            return name
    return "mixture"


if __name__ == "__main__":
    main()
