"""D: History is kept for a while and in bounded number: old rows go, some at a time."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import models
from django.db.models import Max, Q

KEPT_FOR: Final = timedelta(days=90)
KEPT_ROWS: Final = 100_000
AT_ONCE: Final = 1000


def prune_history(
    model: type[models.Model], now: datetime, *, kept_for: timedelta = KEPT_FOR, kept: int = KEPT_ROWS
) -> bool:
    """Deletes some rows whose `at` is too long ago, or that too many have come after; True: there may be more."""
    rows = model._default_manager
    newest = rows.aggregate(newest=Max("pk"))["newest"] or 0
    return delete_some(rows.filter(Q(at__lt=now - kept_for) | Q(pk__lte=newest - kept)).order_by("pk"))


def delete_some(rows: "models.QuerySet[Any]") -> bool:
    """The first AT_ONCE of these; True: there may be more."""
    keys = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    if keys:
        rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys) == AT_ONCE
