"""D: An operator has a calendar quota counted anew for one caller. Every door comes through here.

Redis is told before the commit, so that nothing is written down that does not hold; each worker's own memory and notes
follow the row within a second.
"""

import logging
from collections.abc import Callable
from typing import Final

from django.db import transaction
from django.utils import timezone

from resilience.models import QuotaCount, QuotaReset
from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from routing.auditing import ordered
from routing.breaking import CHANNEL
from routing.dbtext import db_text
from routing.locking import clear_errors
from routing.notify import tell
from routing.orderfeed import hold_orders

LOG: Final = logging.getLogger("torana.quotas")
Forget = Callable[[str], str]
"""Lets the store that all workers share forget a bucket; why it could not, or nothing."""
_bound: list[Forget] = []


class ResetRefused(Exception):  # noqa: N818 - a refusal, told in one sentence
    """What was asked for cannot be done."""


class StoreAway(ResetRefused):
    """It cannot be done now."""


def bind(forget: Forget) -> None:
    """Whoever knows where this installation counts binds itself."""
    _bound[:] = [forget]


def reset(bucket: str, *, by: str, reason: str = "") -> QuotaReset:
    """Counts from nothing again, until the window ends that goes on now. Raises ResetRefused and StoreUnavailable."""
    with clear_errors(), transaction.atomic():
        hold_orders()
        row = QuotaCount.objects.select_for_update().filter(bucket=bucket).first()
        if row is None:
            raise ResetRefused("there is no such count any more")
        order = QuotaReset.objects.create(
            bucket=bucket,
            number=row.resets + 1,
            count=row.count,
            at=timezone.now(),
            by=db_text(by, WHO_LENGTH),
            reason=db_text(reason, REASON_LENGTH),
        )
        QuotaCount.objects.filter(pk=row.pk).update(count=0, resets=order.number)
        was, now = {"count": order.count}, {"count": 0}
        ordered("quota.reset", "quota count", bucket, by=by, reason=reason, before=was, after=now)
        tell(CHANNEL, str(order.number))
        transaction.on_commit(lambda: _log(order))
        if _bound and (why := _bound[0](bucket)):
            raise StoreAway(why)
    return order


def _log(order: QuotaReset) -> None:
    LOG.info(
        "%s was reset by %s (%s); it was %d",
        ascii(order.bucket),
        ascii(order.by),
        ascii(order.reason),
        order.count,
    )
