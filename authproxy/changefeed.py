"""D: Brings changes of identity from the database to one worker's `Changes`, five times a second and when woken.

A database that is away takes nothing with it: what is known stays. One that begins again with smaller numbers (a
backup took its place) makes everybody's identity stale once, and counts on from where this worker is. What is known is
kept as a file, too, for a start at which the database does not answer.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from authproxy import revocation
from authproxy.changes import EVERYBODY, Change, Changes
from authproxy.keptchanges import KeptChanges
from authproxy.models import IdentityChange
from routing.lanes import FOLLOWING
from routing.lately import newest_of
from routing.polling import FIRST_ANSWER_S, POLL_S, Poller

LOG = logging.getLogger(__name__)
LASTING_S: Final = 7 * 24 * 3600.0
"""For how long changes of accounts and consumers are kept: tokens from elsewhere may be as old."""
GRACE_S: Final = 60.0
FORGET_EVERY_S: Final = 60.0
KEEP_EVERY_S: Final = 1.0
_BATCH: Final = 5000  # noted at once on the event loop: some milliseconds
_MOST: Final = 200_000
_COLUMNS: Final = ("pk", "subject", "created_at")


class ChangeFeed:
    """One per worker. `reload_keys` is called in the feed's thread at the start and when signing keys change."""

    def __init__(
        self,
        changes: Changes,
        *,
        access_lifetime_s: float,
        reload_keys: Callable[[], None] | None = None,
        kept: KeptChanges | None = None,
        wall_clock: Callable[[], float] = time.time,
        poll_s: float = POLL_S,
        first_answer_s: float = FIRST_ANSWER_S,
    ) -> None:
        self._changes = changes
        self._access_lifetime_s = access_lifetime_s
        self._brief_s, self._lasting_s = kept_s(access_lifetime_s)
        self._reload_keys = reload_keys
        self._kept = kept
        self._kept_newest = 0
        self._unkept: list[Change] = []
        self._is_all = False
        """Whether `_unkept` is all that counts, and takes the place of what the file has."""
        self._is_all_wanted = False
        self._next_keep = 0.0
        self._wall_clock = wall_clock
        self._first_answer_s = first_answer_s
        self._poller = Poller(
            "change-feed",
            self._look,
            complaint="revocations are not seen",
            poll_s=poll_s,
            lane=FOLLOWING,
            goodbye=self._keep,
        )
        self.wake = self._poller.wake
        self._seen: int | None = None
        self._next_forget = 0.0

    @property
    def database_error(self) -> str:
        """Why the database cannot be used now; empty while it can."""
        return self._poller.error

    def listen(self, *, redis_url: str | None = None) -> None:
        """Before `start`: also be woken over PostgreSQL, if that is the database, and over Redis."""
        self._poller.listen(revocation.CHANNEL, redis_url)

    async def start(self) -> None:
        """Returns once what is known to the database is known here, or the database did not answer in time.

        Then what was kept is all that there is. It is read first, since nobody can tell how long the database takes.
        """
        self._loop = asyncio.get_running_loop()
        if self._kept is not None:
            kept = await asyncio.to_thread(self._kept.load)
            recall(self._changes, kept, now=self._wall_clock(), access_lifetime_s=self._access_lifetime_s)
            self._kept_newest = self._changes.newest
        self._poller.start()
        await self._poller.first_answer(self._first_answer_s)
        if self._seen is None and self._kept_newest:
            LOG.warning("revocations are known up to number %d, as VAR_DIR has it", self._kept_newest)
        elif self._seen is None:
            LOG.warning("no revocation is known: what was taken back passes until the database answers")

    async def stop(self) -> None:
        """Ends the threads without waiting for a database that hangs."""
        await self._poller.stop()

    # From here on: the poller's own thread.

    def _look(self) -> None:
        try:
            with self._poller.asking():
                self._ask()
        finally:
            if time.monotonic() >= self._next_keep:
                self._keep()
        self._forget()

    def _ask(self) -> None:
        newest = newest_of(IdentityChange, seen=self._seen)
        if self._seen is None and newest >= self._kept_newest:
            self._load(newest)
        elif self._seen is None:
            self._reload()
            self._start_over(self._kept_newest)
        elif newest < self._seen:
            self._start_over(self._seen)
        elif newest > self._seen:
            self._follow(self._seen)
        if self._is_all_wanted:
            self._owe(self._recent(), is_all=True)

    def _start_over(self, known: int) -> None:
        LOG.warning("the database is older than what is known of it: every identity is read anew")
        revocation.start_over(known)
        self._follow(known)

    def _load(self, newest: int) -> None:
        """What was changed so recently that a token may be older."""
        found = self._recent()
        self._reload()
        self._hand_over(found)
        self._seen = max(newest, found[-1].number if found else 0)
        self._owe(found, is_all=True)

    def _recent(self) -> list[Change]:
        """Where there are too many, whoever is older than the first of them is stale."""
        now = self._wall_clock()
        recent = revocation.recent(_moment(now - self._lasting_s), _moment(now - self._brief_s))
        rows = IdentityChange.objects.filter(recent).order_by("-pk").values_list(*_COLUMNS)[: _MOST + 1]
        found = [Change(number, subject, at.timestamp()) for number, subject, at in rows][::-1]
        if len(found) > _MOST:
            found[0] = found[0]._replace(subject=EVERYBODY)
        return found

    def _follow(self, seen: int) -> None:
        rows = IdentityChange.objects.filter(pk__gt=seen).order_by("pk")
        found = [
            Change(number, subject, at.timestamp()) for number, subject, at in rows.values_list(*_COLUMNS)
        ]
        if any(change.subject == revocation.SIGNING_KEYS for change in found):
            self._reload()
        self._hand_over(found)
        self._seen = found[-1].number if found else seen
        self._owe(found)

    def _reload(self) -> None:
        if self._reload_keys is not None:
            self._reload_keys()

    def _hand_over(self, found: Sequence[Change]) -> None:
        for begin in range(0, len(found), _BATCH):
            self._call(partial(self._changes.note, found[begin : begin + _BATCH]))

    def _owe(self, found: list[Change], *, is_all: bool = False) -> None:
        """To the file; bounded, as the disk may be full for long."""
        if self._kept is None:
            return
        if is_all:
            self._unkept, self._is_all, self._is_all_wanted = found, True, False
        elif len(self._unkept) + len(found) <= 2 * _MOST:
            self._unkept = self._unkept + found
        else:
            self._unkept, self._is_all, self._is_all_wanted = [], False, True

    def _keep(self) -> None:
        """Pays what is owed, whether the database answers or not."""
        if self._kept is None or not (self._unkept or self._is_all):
            return
        self._next_keep = time.monotonic() + KEEP_EVERY_S
        if self._is_all:
            newest = max(self._seen or 0, self._unkept[-1].number if self._unkept else 0)
            answer = self._kept.rewrite(self._unkept, upto=newest)
        else:
            answer = self._kept.append(self._unkept)
        if answer != "not now":
            self._unkept, self._is_all = [], False
            self._is_all_wanted = answer == "begin anew"

    def _forget(self) -> None:
        now = self._wall_clock()
        if now >= self._next_forget:
            self._next_forget = now + FORGET_EVERY_S
            forget = self._changes.forget
            self._call(partial(forget, now - self._lasting_s, brief_before=now - self._brief_s))

    def _call(self, function: Callable[[], None]) -> None:
        if not self._poller.stopped:
            self._loop.call_soon_threadsafe(function)


def kept_s(access_lifetime_s: float) -> tuple[float, float]:
    """For how long changes are kept: those that only the gateway's own tokens name, and the others."""
    brief_s = access_lifetime_s + GRACE_S
    return brief_s, max(brief_s, LASTING_S)


def recall(changes: Changes, kept: Sequence[Change], *, now: float, access_lifetime_s: float) -> None:
    """At a start: takes in what was kept, as far as it still counts."""
    brief_s, lasting_s = kept_s(access_lifetime_s)
    changes.note(kept)
    changes.forget(now - lasting_s, brief_before=now - brief_s)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
