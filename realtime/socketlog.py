"""D: Between one worker's proxied connections and the database: what is there goes in, what operators ended comes out.

It rides along with the BreakerLog's thread. At most MOST_TOLD connections of a worker are written down, the oldest; all
can be ended. While the database is away nothing waits: what is there is written once it is back.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from realtime.models import LiveSocket, SocketEnding
from realtime.rows.livesockets import ADDRESS_LENGTH, USER_LENGTH
from realtime.tunnel.sockets import Facts, Sockets
from resilience.rows.targets import NODE_LENGTH, URL_LENGTH
from routing.breakerlog import Call
from routing.dbtext import db_text
from routing.orderfeed import OrderFeed
from routing.pruning import prune_history

MOST_TOLD: Final = 1000
WRITE_S: Final = 1.0
COUNT_S: Final = 10.0
"""How often bytes are written, and that the worker is there."""
LOST_AFTER: Final = timedelta(seconds=60)
_BATCH: Final = 200
_Bytes = tuple[int, int]


class SocketLog:
    """One per worker."""

    def __init__(
        self,
        sockets: Sockets,
        *,
        node: str,
        wall_clock: Callable[[], float] = time.time,
        write_s: float = WRITE_S,
        count_s: float = COUNT_S,
    ) -> None:
        self._sockets = sockets
        self._node = node[:NODE_LENGTH]
        self._now = wall_clock
        self._write_s = write_s
        self._count_s = count_s
        self._feed = OrderFeed(SocketEnding, "node", "number", "route")
        self._written: dict[int, _Bytes] = {}
        self._write_at = self._count_at = 0.0

    # All on the thread that it rides on.

    def look(self, call: Call) -> None:
        """What operators ended; what is there; what may be forgotten."""
        for node, number, route in self._feed.unseen():
            if node in ("", self._node):
                numbers = [number] if node else None
                call(partial(self._sockets.end, numbers, route=route))
        now = self._now()
        if now >= self._write_at:
            self._write(_moment(now))
            self._write_at = now + self._write_s
        if now >= self._count_at:
            self._count(_moment(now))
            self._count_at = now + self._count_s

    def leave(self) -> None:
        """The worker's connections end with it."""
        LiveSocket.objects.filter(node=self._node).delete()

    def _write(self, now: datetime) -> None:
        told = {
            facts.number: (facts, received, sent) for facts, received, sent in self._sockets.told(MOST_TOLD)
        }
        gone = [number for number in self._written if number not in told]
        if gone:
            LiveSocket.objects.filter(node=self._node, number__in=gone).delete()
        for number in gone:
            del self._written[number]
        fresh = [each for number, each in told.items() if number not in self._written]
        LiveSocket.objects.bulk_create(
            [self._row(*each, now) for each in fresh], batch_size=_BATCH, ignore_conflicts=True
        )
        self._written.update((facts.number, (received, sent)) for facts, received, sent in fresh)

    def _count(self, now: datetime) -> None:
        mine = LiveSocket.objects.filter(node=self._node)
        told = {facts.number: (received, sent) for facts, received, sent in self._sockets.told(MOST_TOLD)}
        moved = {key: told[key] for key, known in self._written.items() if told.get(key, known) != known}
        rows = list(mine.filter(number__in=list(moved)))
        for row in rows:
            row.received, row.sent = moved[row.number]
        LiveSocket.objects.bulk_update(rows, ["received", "sent"], batch_size=_BATCH)
        self._written.update(moved)
        mine.exclude(number__in=list(self._written)).delete()  # of a worker that had the name before
        mine.update(seen_at=now)
        LiveSocket.objects.filter(seen_at__lt=now - LOST_AFTER).delete()
        prune_history(SocketEnding, now)

    def _row(self, facts: Facts, received: int, sent: int, now: datetime) -> LiveSocket:
        return LiveSocket(
            node=self._node,
            number=facts.number,
            user=db_text(facts.user, USER_LENGTH),
            address=facts.address[:ADDRESS_LENGTH],
            route=facts.place.route,
            service=facts.place.service,
            target=db_text(facts.place.target, URL_LENGTH),
            since=_moment(facts.since),
            received=received,
            sent=sent,
            seen_at=now,
        )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
