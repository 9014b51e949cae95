"""D: One writer of configuration at a time, and database failures told in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

# Two's complement 64-bit key of PostgreSQL's advisory locks; the number only has to be ours.
LOCK_KEY: Final = 0x546F72616E61
LOCK_TIMEOUT_S: Final = 10


class StoreUnavailable(Exception):  # noqa: N818 - named as people say it
    """The database cannot be used now; str(error) is one sentence for a person."""


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that no other writer of configuration runs beside; failures become StoreUnavailable."""
    with clear_errors(), transaction.atomic():
        hold_lock()
        yield


@contextmanager
def reading() -> Iterator[None]:
    """A transaction whose queries all see one state; failures become StoreUnavailable."""
    with clear_errors(), transaction.atomic():
        if connection.vendor == "postgresql" and not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def clear_errors() -> Iterator[None]:
    """Translates the database's own errors, once."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(explain(error)) from error
    except DatabaseError as error:
        if not _is_unmigrated(error):
            raise
        raise StoreUnavailable(explain(error)) from error


def hold_lock(key: int = LOCK_KEY) -> None:
    """Waits until this transaction is the only one that holds the key, until its end: of configuration's, the writer.

    SQLite's transactions are IMMEDIATE: they hold the only write lock from their beginning.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a lock lives in a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT_S * 1000:.0f}ms"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def explain(error: Exception) -> str:
    """One sentence about what is wrong with the database and what to do."""
    text = " ".join(str(error).split())
    if _is_unmigrated(error):
        return f"the database has no tables for this version yet: run `{settings.MANAGE} migrate`"
    if any(hint in text for hint in ("locked", "lock timeout", "deadlock")):
        return f"another change is being saved and did not finish within {LOCK_TIMEOUT_S} s: try again"
    return f"the database cannot be reached: {text}"


def _is_unmigrated(error: Exception) -> bool:
    text = str(error)
    return any(hint in text for hint in ("no such table", "no such column")) or (
        "does not exist" in text and ("relation" in text or "column" in text)
    )
