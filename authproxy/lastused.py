"""D: When keys and sessions were last used, written in batches from a thread, and the tables' housekeeping with it.

What is noted costs a request one entry in a dictionary. What cannot be written is kept for the next time; where there
is no room left, a use is not noted, and is counted.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from authproxy import revocation, sessions
from authproxy.changefeed import kept_s
from authproxy.identity import Identity
from authproxy.models import ApiKey, Session
from routing.polling import Poller

LOG = logging.getLogger(__name__)
FLUSH_S: Final = 10.0
HOUSEKEEPING_S: Final = 3600.0
MOST: Final = 50_000
_ROUNDED_S: Final = 10
_CHUNK: Final = 500
_Use = tuple[type[ApiKey] | type[Session], Any]


class LastUsed:
    """One per worker. `note` may be called from any thread."""

    def __init__(
        self,
        *,
        access_lifetime_s: float,
        wall_clock: Callable[[], float] = time.time,
        flush_s: float = FLUSH_S,
        limit: int = MOST,
    ) -> None:
        self._kept_s = kept_s(access_lifetime_s)
        self._wall_clock = wall_clock
        self._limit = limit
        self._lock = threading.Lock()
        self._uses: dict[_Use, float] = {}
        self._next_housekeeping = wall_clock() + flush_s
        self.dropped = 0
        """How many uses were never written."""
        self._poller = Poller(
            "last-used", self._look, complaint="last uses are not written", poll_s=flush_s, goodbye=self.flush
        )

    def note(self, identity: Identity) -> None:
        """The key or the session by which somebody was let in was used now."""
        use: _Use = (ApiKey, identity.key_id) if identity.key_id else (Session, identity.session)
        now = self._wall_clock()
        with self._lock:
            if len(self._uses) < self._limit or use in self._uses:
                self._uses[use] = now
            else:
                self.dropped += 1

    def start(self) -> None:
        """Begins, on the running event loop."""
        self._poller.start()

    async def stop(self) -> None:
        """Writes what is left, if the database answers, and ends the thread."""
        await self._poller.stop()

    # From here on: the poller's own thread.

    def _look(self) -> None:
        self.flush()
        now = self._wall_clock()
        if now >= self._next_housekeeping:
            with self._poller.asking():
                done = _keep_house(now, *self._kept_s)
            self._next_housekeeping = now + (HOUSEKEEPING_S if done else 0.0)

    def flush(self) -> None:
        """Writes all that was noted; what cannot be written is kept."""
        with self._lock:
            taken, self._uses = self._uses, {}
        try:
            for model, moment, pks in _grouped(taken):
                with self._poller.asking():
                    _write(model, moment, pks)
                for pk in pks:
                    del taken[model, pk]
        finally:
            if taken:
                self._take_back(taken)

    def _take_back(self, unwritten: dict[_Use, float]) -> None:
        """Later uses count; earlier ones go where there is no room."""
        with self._lock:
            for use, at in unwritten.items():
                if use in self._uses:
                    continue
                if len(self._uses) < self._limit:
                    self._uses[use] = at
                else:
                    self.dropped += 1


def _grouped(uses: Mapping[_Use, float]) -> Iterator[tuple[Any, int, list[Any]]]:
    """Rows of one table that were used in the same ten seconds, some hundreds at a time, in order."""
    groups: dict[tuple[Any, int], list[Any]] = {}
    for (model, pk), at in uses.items():
        groups.setdefault((model, int(at) // _ROUNDED_S * _ROUNDED_S), []).append(pk)
    for (model, moment), pks in groups.items():
        ordered = iter(sorted(pks))
        while chunk := list(islice(ordered, _CHUNK)):
            yield model, moment, chunk


def _write(model: Any, moment: int, pks: list[Any]) -> None:
    """Another worker may have written a later use."""
    at = datetime.fromtimestamp(moment, UTC)
    if model is ApiKey:
        ApiKey.objects.filter(pk__in=pks).exclude(last_used_at__gte=at).update(last_used_at=at)
    else:
        Session.objects.filter(pk__in=pks).exclude(last_seen_at__gte=at).update(last_seen_at=at)


def _keep_house(now: float, brief_s: float, lasting_s: float) -> bool:
    """Drops old rows, a bounded number of them; False if there may be more."""
    moment = datetime.fromtimestamp
    changes = revocation.prune(moment(now - lasting_s, UTC), moment(now - brief_s, UTC))
    return changes + sessions.prune(moment(now, UTC)) == 0
