"""D: Telling every worker whose standing changed, in the transaction of what is told.

Theory of operation. A row is a number and a subject. Numbers must become visible in their order: whoever has read
number N, and then reads an account, sees that account with every change up to N. So a transaction holds a lock from
before it takes its first number until its commit. Where several rows are changed, it is taken before the first of
them (`hold_order`), so that two such transactions wait for each other and never lock each other out.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Q

from authproxy.changes import EVERYBODY, LASTING
from authproxy.models import IdentityChange
from routing.notify import tell

CHANNEL: Final = "torana_identity"
SIGNING_KEYS: Final = "signing-keys"
DEFAULT_ROLES: Final = "default-roles"
"""The subject of every identity that has been read from rows, and so has the roles that all accounts have."""
MOST_SUBJECTS: Final = 20_000
"""More than so many at once are told as one change of everybody."""
PRUNED_AT_ONCE: Final = 1000
_LOCK_KEY: Final = 0x546F72616E62  # of PostgreSQL's advisory locks; the number only has to be ours
_LOCK_TIMEOUT_S: Final = 10


def user(pk: int) -> str:
    """The subject of an account."""
    return f"user:{pk}"


def consumer(pk: int) -> str:
    """The subject of a consumer."""
    return f"consumer:{pk}"


def key(pk: int) -> str:
    """The subject of an API key."""
    return f"key:{pk}"


def session(pk: UUID) -> str:
    """The subject of a session."""
    return f"session:{pk}"


def record(*subjects: str, reason: str) -> None:
    """Ends what is known of the subjects, on every worker within a second of the commit."""
    found = list(dict.fromkeys(subjects))
    if not found:
        return
    if len(found) > MOST_SUBJECTS:
        found = [EVERYBODY]
    with transaction.atomic():
        hold_order()
        rows = IdentityChange.objects.bulk_create(
            [IdentityChange(subject=subject, reason=reason[:64]) for subject in found], batch_size=1000
        )
        tell(CHANNEL, str(rows[-1].pk))


def hold_order() -> None:
    """Waits until no other transaction is about to record a change; does nothing outside of a transaction.

    SQLite's transactions are IMMEDIATE: they hold the only write lock from their beginning.
    """
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{_LOCK_TIMEOUT_S}s"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def newest() -> int:
    """The newest number. Read it before the account that it is to vouch for."""
    found: int | None = IdentityChange.objects.aggregate(newest=Max("pk"))["newest"]
    return found or 0


def recent(lasting_after: datetime, brief_after: datetime) -> Q:
    """What happened after the time that counts for its subject; the earlier one is for lasting subjects."""
    return Q(created_at__gte=brief_after) | (Q(created_at__gte=lasting_after) & _lasting())


def prune(lasting_before: datetime, brief_before: datetime) -> int:
    """Drops what happened before the time that counts for its subject; how many rows, at most PRUNED_AT_ONCE.

    The newest row stays, so that numbers never go back.
    """
    old = IdentityChange.objects.filter(pk__lt=newest()).exclude(recent(lasting_before, brief_before))
    return IdentityChange.objects.filter(pk__in=old.values("pk")[:PRUNED_AT_ONCE]).delete()[0]


def start_over(known: int) -> None:
    """After the database was replaced by an older one: counts on from the number that a worker knows, for everybody."""
    with transaction.atomic():
        hold_order()
        if newest() >= known:
            return  # another worker has done it
        IdentityChange.objects.create(pk=known + 1, subject=EVERYBODY, reason="database replaced")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                table = IdentityChange._meta.db_table
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, known + 1])
        tell(CHANNEL, str(known + 1))


def _lasting() -> Q:
    found = Q()
    for prefix in LASTING:
        found |= Q(subject__startswith=prefix)
    return found
