"""D: Purging the response cache: by route, tag or URL, or all of it. Every door comes through here.

The row is the order; each worker carries it out within a second, and sooner when woken.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from resilience.models import CachePurge
from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from routing.auditing import Deed, record
from routing.breaking import CHANNEL
from routing.dbtext import db_text
from routing.locking import clear_errors
from routing.models import Route
from routing.notify import tell
from routing.orderfeed import hold_orders
from routing.problems import did_you_mean
from routing.purgeurls import LONGEST_TAG, Kind, canonical

LOG: Final = logging.getLogger("torana.cache")
MOST_AT_ONCE: Final = 1000


class PurgeRefused(Exception):  # noqa: N818 - a refusal, told in one sentence
    """What was asked for cannot be done; `field` is what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def purge(kind: Kind, values: Iterable[str], *, by: str, reason: str = "") -> list[CachePurge]:
    """Orders it, all or nothing: answers that are stored, or on their way, are not served any more."""
    subjects = ["" if kind == "all" else _checked(kind, value) for value in dict.fromkeys(values)]
    if not subjects or len(subjects) > MOST_AT_ONCE:
        raise PurgeRefused(kind, f"name 1 to {MOST_AT_ONCE}")
    with clear_errors(), transaction.atomic():
        hold_orders()
        rows = [_ordered(kind, value, by=by, reason=reason) for value in subjects]
        about = tuple(("routes" if kind == "route" else f"cached {kind}", value) for value in subjects)
        record(Deed("cache.purge", about, by, reason))
        tell(CHANNEL, "")
        transaction.on_commit(lambda: _log(rows))
    return rows


def as_json(row: CachePurge) -> dict[str, Any]:
    """For the API and `--json`."""
    return {
        "kind": row.kind,
        "value": row.value or None,
        "at": row.at,
        "by": row.by,
        "reason": row.reason or None,
    }


def _ordered(kind: Kind, value: str, *, by: str, reason: str) -> CachePurge:
    return CachePurge.objects.create(
        kind=kind,
        value=value,
        at=timezone.now(),
        by=db_text(by, WHO_LENGTH),
        reason=db_text(reason, REASON_LENGTH),
    )


def _checked(kind: Kind, value: str) -> str:
    """As workers compare it."""
    if kind == "route":
        return _route(value)
    if kind == "url":
        form = canonical(value)
        if form is None:
            raise PurgeRefused("url", "want a URL such as https://example.com/a?b=c, or a path such as /a")
        return form
    tag = value.strip().lower()
    if not tag or len(tag) > LONGEST_TAG or not tag.isprintable() or any(mark in tag for mark in " ,"):
        raise PurgeRefused("tag", f"a tag has 1 to {LONGEST_TAG} characters, and neither spaces nor commas")
    return tag


def _route(name: str) -> str:
    if "\0" in name or not Route.objects.filter(name=name).exists():
        names = Route.objects.values_list("name", flat=True)[:1000]
        raise PurgeRefused("route", f'there is no route "{name}"{did_you_mean(name, names)}')
    return name


def _log(rows: list[CachePurge]) -> None:
    for row in rows:
        LOG.info("cache: %s was purged by %s (%s)", ascii(str(row)), ascii(row.by), ascii(row.reason))
