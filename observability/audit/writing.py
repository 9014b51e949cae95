"""D: Writing events of the audit trail: one writer at a time, in the transaction of what it tells."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from authproxy.models import Consumer
from observability.audit.chain import GENESIS, canonical, hash_of
from observability.audit.masking import clean, entries, masked
from observability.models import AuditEvent, AuditObject
from resilience.rows.breakers import REASON_LENGTH
from routing.auditing import Deed, Origin
from routing.locking import hold_lock
from routing.publishing import PublishedEvent

LOG: Final = logging.getLogger("torana.audit")
LOCK_KEY: Final = 0x546F72616E63  # of PostgreSQL's advisory locks; the number only has to be ours
BATCH: Final = 1000
MOST_OBJECTS: Final = 20_000
MOST_REFUSALS: Final = 60
"""Sign-ins that failed, in a minute: whoever guesses must not be able to fill the trail."""
REFUSALS: Final = frozenset({"staff.login_failed", "staff.login_locked", "staff.mfa_failed"})


def write(deed: Deed, origin: Origin) -> None:
    """Adds an event to the chain, in the caller's transaction; but not a failure too many of a minute."""
    with transaction.atomic():
        hold_lock(LOCK_KEY)
        last = AuditEvent.objects.order_by("-id").values("id", "at", "hash").first()
        now = timezone.now()
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        at = max(at, last["at"]) if last else at
        if deed.action in REFUSALS and _too_many(at):
            return
        event = _event(deed, origin, at, last["id"] + 1 if last else 1, last["hash"] if last else GENESIS)
        event.save(force_insert=True)
        AuditObject.objects.bulk_create(
            [
                AuditObject(event_id=event.pk, kind=clean(kind, 40), name=clean(name, 290))
                for kind, name in deed.objects[:MOST_OBJECTS]
            ],
            batch_size=BATCH,
        )


def published(event: PublishedEvent) -> None:
    """What `routing.publishing` tells, as a deed; the port it is bound to."""
    from routing import auditing

    kept = event.changes.as_json()["entries"]
    objects = tuple((each.kind, each.name) for each in event.changes.entries)
    details = {} if event.revision is None else {"revision": event.revision}
    auditing.record(
        Deed(
            f"configuration.{event.action}",
            objects,
            event.actor.name,
            event.message,
            tuple(kept),
            event.summary or event.changes.summary(),
            event.source,
            event.actor.user_id,
            details,
        )
    )


def content_of(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns as the canonical content has them, for comparing: times as text."""
    return {**columns, "at": moment_text(columns["at"])}


def moment_text(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(timezone.get_fixed_timezone(0)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _event(deed: Deed, origin: Origin, at: datetime, number: int, previous: str) -> AuditEvent:
    name, user_id, kind = _actor(deed, origin)
    objects = [[clean(kind, 40), clean(name, 290)] for kind, name in deed.objects[:MOST_OBJECTS]]
    columns: dict[str, Any] = {
        "id": number,
        "at": at,
        "action": clean(deed.action, 58),
        "actor": name,
        "actor_kind": kind,
        "user_id": user_id,
        "door": clean(origin.door if origin.door != "system" else deed.door or origin.door, 18),
        "address": clean(origin.address, 62),
        "reason": clean(deed.reason, REASON_LENGTH if REASON_LENGTH < 990 else 990),
        "summary": clean(deed.summary or _summary(deed), 490),
    }
    content = canonical(
        {
            **content_of(columns),
            "source": clean(deed.door, 40),
            "objects": objects,
            "more_objects": max(0, len(deed.objects) - MOST_OBJECTS),
            "changes": entries(deed.changes[:MOST_OBJECTS]),
            "details": masked(dict(deed.details)),
        }
    )
    said = (columns["summary"], columns["reason"], columns["actor"], columns["action"])
    words = clean(" ".join((*said, *(name for _, name in objects))).lower(), 1490)
    return AuditEvent(
        **columns, words=words, content=content, previous=previous, hash=hash_of(previous, content)
    )


def _summary(deed: Deed) -> str:
    shown = ", ".join(f"{kind} {name}".strip() for kind, name in deed.objects[:5])
    more = len(deed.objects) - 5
    what = deed.action.rpartition(".")[2].replace("_", " ")
    return f"{what}: {shown}{f' and {more} more' if more > 0 else ''}" if shown else what


def _actor(deed: Deed, origin: Origin) -> tuple[str, int | None, str]:
    """Name, account and kind of whoever did it."""
    name = deed.by or origin.name
    user_id = deed.user_id or (origin.user_id if name == origin.name else None)
    if not name or name == "system":
        return "system", None, "system"
    if user_id is None:
        found = get_user_model()._default_manager.filter(username=name).values_list("pk", flat=True).first()
        user_id = found
    if user_id is not None:
        return clean(name, 190), user_id, "user"
    if origin.door == "cli" or deed.door == "cli":
        return clean(name, 190), None, "operating system"
    is_consumer = "\0" not in name and Consumer.objects.filter(name=name).exists()
    return clean(name, 190), None, "consumer" if is_consumer else "other"


def _too_many(at: datetime) -> bool:
    recent = AuditEvent.objects.filter(action__in=REFUSALS, at__gt=at - timedelta(minutes=1))
    return recent.order_by()[:MOST_REFUSALS].count() >= MOST_REFUSALS
