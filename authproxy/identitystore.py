"""D: Looks up whose an API key or a session cookie is: everybody who waits in one query, in one thread.

Who waits is told within a second. Once the database has failed, nobody waits for a while: all are told at once that
it is away, so that a flood of unknown keys costs a database that is in trouble nothing.
"""

import asyncio
import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from authproxy import revocation, tickets
from authproxy.authenticate import StoreAway
from authproxy.granting import (
    KEY_PREFETCHED,
    KEY_RELATED,
    SESSION_PREFETCHED,
    SESSION_RELATED,
    identity_of_key,
    identity_of_session,
)
from authproxy.identity import Identity
from authproxy.lastused import LastUsed
from authproxy.liveroles import LiveRoles, live_roles
from authproxy.models import ApiKey, Session
from routing.lanes import Lane
from routing.polling import Poller

LOG = logging.getLogger(__name__)
PATIENCE_S: Final = 1.0
AWAY_S: Final = 1.0
MOST_WAITING: Final = 10_000
_BATCH: Final = 500
_IDLE_S: Final = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    brand: str
    prefix: str
    digest: bytes
    answer: "asyncio.Future[Identity | None]"

    @property
    def name(self) -> str:
        """By what the row is found: a key by its prefix, a session by the keyed hash of its cookie."""
        return self.prefix if self.brand == tickets.API_KEY else self.digest.hex()


_Found = dict[str, tuple[bytes, Identity | None]]


class IdentityStore:
    """One per worker; only credentials that this worker has not seen of late come here."""

    def __init__(
        self, *, pepper: bytes, last_used: LastUsed, patience_s: float = PATIENCE_S, away_s: float = AWAY_S
    ) -> None:
        self._pepper = pepper
        self.used = last_used.note
        self._patience_s = patience_s
        self._away_s = away_s
        self._away_until_s = float("inf")  # until it is started
        self._lock = threading.Lock()
        self._waiting: list[_Question] = []
        self._poller = Poller(
            "identity-store",
            self._look,
            complaint="unknown keys and sessions are refused",
            poll_s=_IDLE_S,
            lane=Lane("callers", 1, statement_timeout_s=patience_s),
            hung_after_s=patience_s,
        )

    def start(self) -> None:
        """Begins, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._poller.start()
        self._away_until_s = 0.0

    async def stop(self) -> None:
        """Ends the thread; whoever waits is told that the store is away."""
        await self._poller.stop()
        self._fail(self._taken(MOST_WAITING))

    async def find(self, brand: str, prefix: str, presented: bytes) -> Identity | None:
        """Whose the credential is; None if nobody's, or no longer. Raises StoreAway.

        `prefix` is `tickets.prefix_of(presented, brand)`: what was made up never comes here.
        """
        if self._is_away():
            raise StoreAway
        answer: asyncio.Future[Identity | None] = self._loop.create_future()
        digest = tickets.digest(presented, pepper=self._pepper)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise StoreAway
            self._waiting.append(_Question(brand, prefix, digest, answer))
        self._poller.wake()
        try:
            async with asyncio.timeout(self._patience_s):
                return await answer
        except TimeoutError as error:
            self._away_until_s = time.monotonic() + self._away_s
            raise StoreAway from error

    def _is_away(self) -> bool:
        return (
            time.monotonic() < self._away_until_s
            or self._poller.stopped
            or self._poller.busy_s > self._patience_s
        )

    # From here on: the poller's own thread.

    def _look(self) -> None:
        while self._waiting:
            questions = self._taken(_BATCH)
            try:
                with self._poller.asking():
                    answers = _answer(questions)
            except BaseException:
                self._away_until_s = time.monotonic() + self._away_s
                self._fail([*questions, *self._taken(MOST_WAITING)])
                raise
            self._tell([(question, answers.get(question)) for question in questions])

    def _taken(self, most: int) -> list[_Question]:
        """The questions of those who still wait, taken out of the queue."""
        with self._lock:
            taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return [question for question in taken if not question.answer.done()]

    def _tell(self, answers: Sequence[tuple[_Question, Identity | None]]) -> None:
        def tell() -> None:
            for question, identity in answers:
                if not question.answer.done():
                    question.answer.set_result(identity)

        self._call(tell)

    def _fail(self, questions: Sequence[_Question]) -> None:
        def fail() -> None:
            for question in questions:
                if not question.answer.done():
                    question.answer.set_exception(StoreAway())

        self._call(fail)

    def _call(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            LOG.debug("the event loop has ended")


def _answer(questions: Sequence[_Question]) -> Mapping[_Question, Identity]:
    """The identities of those who have one."""
    seq, granted, now = revocation.newest(), live_roles(), timezone.now()
    keys = [question for question in questions if question.brand == tickets.API_KEY]
    sessions = [question for question in questions if question.brand == tickets.SESSION]
    found: dict[_Question, Identity] = {}
    for questions_of_kind, identities in (
        (keys, _keys(keys, granted, seq, now) if keys else {}),
        (sessions, _sessions(sessions, granted, seq, now) if sessions else {}),
    ):
        for question in questions_of_kind:
            stored, identity = identities.get(question.name, (b"", None))
            if identity is not None and hmac.compare_digest(stored, question.digest):
                found[question] = identity
    return found


def _keys(questions: Sequence[_Question], granted: LiveRoles, seq: int, now: datetime) -> _Found:
    rows = ApiKey.objects.filter(prefix__in={question.prefix for question in questions}, revoked_at=None)
    found: _Found = {}
    for key in rows.select_related(*KEY_RELATED).prefetch_related(*KEY_PREFETCHED):
        if key.expires_at is None or key.expires_at > now:
            found[key.prefix] = bytes(key.digest), identity_of_key(key, granted=granted, seq=seq)
    return found


def _sessions(questions: Sequence[_Question], granted: LiveRoles, seq: int, now: datetime) -> _Found:
    rows = Session.objects.filter(
        digest__in={question.digest for question in questions}, ended_at=None, expires_at__gt=now
    )
    found: _Found = {}
    for session in rows.select_related(*SESSION_RELATED).prefetch_related(*SESSION_PREFETCHED):
        stored = bytes(session.digest)
        found[stored.hex()] = stored, identity_of_session(session, granted=granted, seq=seq)
    return found
