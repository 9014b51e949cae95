"""D: Orders of operators that are rows, each of which every worker carries out once, in the order of their numbers.

Whoever writes one holds `ORDER_KEY` first, so that numbers become visible in their order.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import models

from routing.lately import newest_of
from routing.locking import hold_lock

ORDER_KEY: Final = 0x546F72616E63  # of PostgreSQL's advisory locks; the number only has to be ours
AT_ONCE: Final = 1000


def hold_orders() -> None:
    """Before the first order of a transaction is written."""
    hold_lock(ORDER_KEY)


class OrderFeed:
    """One reader's place. What was ordered before its first look is none of its business: it has just begun."""

    def __init__(self, model: type[models.Model], *columns: str) -> None:
        self._model = model
        self._rows = model._default_manager
        self._columns = columns
        self._newest: int | None = None

    def unseen(self) -> Sequence[tuple[Any, ...]]:
        """The columns of orders that came since the last look, in their order, as many as AT_ONCE."""
        newest = newest_of(self._model, seen=self._newest)
        if self._newest is None or newest < self._newest:  # the latter: an older database took the place
            self._newest = newest
        if newest == self._newest:
            return ()
        rows = self._rows.filter(pk__gt=self._newest).order_by("pk").values_list("pk", *self._columns)
        found = list(rows[:AT_ONCE])
        if found:
            self._newest = found[-1][0]
        return [row[1:] for row in found]
