"""I: Answers that go on and on, such as server-sent events: they end when their caller's credentials do.

Only an answer that is not all there when it begins comes here, that says by its type that it has no end, and that was
given to somebody who is known. All others pay nothing for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from authproxy.changes import Changes
from authproxy.exchange import Exchange, ResponseAborted
from authproxy.headers import Pair
from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from resilience.clock import wall_clock
from routing.snapshot import Snapshot

GRACE_S: Final = 60.0
"""So long an answer may go on after credentials have expired: most of those that are made for one question end by
then. What is taken back ends at once."""
_ENDLESS: Final = (b"text/event-stream", b"multipart/x-mixed-replace")
_LONGEST_TIMER_S: Final = 24 * 3600.0


class _Answer:
    """One that goes on. `why`: what ended it."""

    __slots__ = ("expiry", "identity", "limit", "why")

    def __init__(self, identity: Identity, limit: asyncio.Timeout) -> None:
        self.identity = identity
        self.limit = limit
        self.expiry: asyncio.TimerHandle | None = None
        self.why = ""

    def end(self, why: str) -> None:
        """Whoever waits for the service or for the client is woken."""
        if not self.why:
            self.why = why
            self.limit.reschedule(asyncio.get_running_loop().time())


def is_endless(headers: list[Pair]) -> bool:
    """Whether an answer says that nobody expects its end."""
    return any(name == b"content-type" and value.lower().startswith(_ENDLESS) for name, value in headers)


class Lasting:
    """Those of one worker. Only the event loop's thread may call it."""

    def __init__(
        self, changes: Changes, *, clock: Callable[[], float] = wall_clock, grace_s: float = GRACE_S
    ) -> None:
        self._changes = changes
        self._clock = clock
        self._grace_s = grace_s
        self._open: set[_Answer] = set()
        self._snapshot: Snapshot | None = None
        changes.subscribe(self._changed)

    def __len__(self) -> int:
        return len(self._open)

    @asynccontextmanager
    async def ended_with(self, exchange: Exchange, identity: Identity) -> AsyncIterator[None]:
        """While an answer is relayed to that caller. Raises ResponseAborted when the credentials end."""
        answer = None
        try:
            async with asyncio.timeout(None) as limit:
                answer = self._added(identity, limit)
                yield
        except TimeoutError:
            if answer is None or not answer.why:
                raise
            exchange.refusal = Rejection(Code.AUTH_ERROR, answer.why)
            raise ResponseAborted from None
        finally:
            if answer is not None:
                self._discard(answer)

    def reconcile(self, snapshot: Snapshot) -> None:
        """After a swap: callers whose provider is gone."""
        self._snapshot = snapshot
        self._changed(())

    def _added(self, identity: Identity, limit: asyncio.Timeout) -> _Answer:
        answer = _Answer(identity, limit)
        self._open.add(answer)
        self._expire(answer)
        self._judge(answer)
        return answer

    def _discard(self, answer: _Answer) -> None:
        self._open.discard(answer)
        if answer.expiry is not None:
            answer.expiry.cancel()

    def _changed(self, _subjects: tuple[str, ...]) -> None:
        for answer in self._open:
            self._judge(answer)

    def _judge(self, answer: _Answer) -> None:
        if self._changes.is_stale(answer.identity):
            answer.end("The credentials were revoked.")
        elif self._snapshot is not None and not answer.identity.is_vouched_for(self._snapshot.providers):
            answer.end("The identity provider is gone.")

    def _expire(self, answer: _Answer) -> None:
        left_s = answer.identity.expires_at + self._grace_s - self._clock()
        if left_s <= 0:
            answer.end("The credentials have expired.")
        elif left_s != float("inf"):
            loop = asyncio.get_running_loop()
            answer.expiry = loop.call_later(min(left_s, _LONGEST_TIMER_S), self._expire, answer)
