"""I: `GET {API_PREFIX}/events/stream`: topics as server-sent events. An ASGI application.

One task a stream: it sends what waits, at the client's pace, and a comment where nothing does. A client that does not
take what it asked for is cut off, so that nothing grows; it comes back with `Last-Event-ID`, and misses nothing that is
still there.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl

from authproxy import problems
from authproxy.changes import Changes
from authproxy.credentials import METHODS
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_IDENTITY, Receive, ResponseAborted, Scope, Send
from authproxy.identity import Identity
from authproxy.memory import Providers
from authproxy.problems import Reason
from authproxy.rejections import Code, Rejection
from realtime.answering import refuse
from realtime.events import Event
from realtime.hub.hub import Hub
from realtime.protocol import LONGEST_ID
from realtime.sessions.rights import ANYBODY, owner_of
from realtime.sse import BEGINNING, HEARTBEAT, Backlog, end_bytes, event_bytes, gap_bytes
from resilience.clock import http_date, wall_clock
from routing.snapshot import Snapshot
from routing.topics import is_topic

MOST_TOPICS: Final = 20
MOST_PER_USER: Final = 50
HEARTBEAT_S: Final = 15.0
LEAVING_S: Final = 5.0
"""Over which the streams of a worker that leaves are ended, so that their clients do not all come back at once."""
_LONGEST_TIMER_S: Final = 24 * 3600.0
_TOO_MANY: Final = Rejection(
    Code.RATE_LIMIT,
    "You have too many streams.",
    details={"reason": "streams"},
    headers=((b"retry-after", b"10"),),
)


class Stream:
    """One client's. A sink of the hub."""

    __slots__ = ("_relief", "_wake", "backlog", "end", "expiry", "identity", "is_cut", "topics")

    def __init__(self, identity: Identity, topics: tuple[str, ...]) -> None:
        self.identity = identity
        self.topics = topics
        self.backlog = Backlog()
        self.end = b""
        """What is said last."""
        self.is_cut = False
        """The client is too slow: the connection is cut."""
        self.expiry: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._relief = asyncio.Event()

    def deliver(self, event: Event) -> None:
        self._put(event_bytes(event))

    def gap(self, topic: str) -> None:
        self._put(gap_bytes(topic))

    async def room(self) -> None:
        while not (self.backlog.has_room or self.is_over):
            self._relief.clear()
            await self._relief.wait()

    @property
    def is_over(self) -> bool:
        return self.is_cut or bool(self.end)

    def finish(self, code: str, message: str) -> None:
        """Ends it in good order. The first reason counts."""
        if not self.is_over:
            self.end = end_bytes(code, message)
            self._wake.set()
            self._relief.set()

    async def next(self) -> bytes:
        """What is to be sent next: what waits, or a heartbeat."""
        if not (self.backlog or self.is_over):
            self._wake.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                return HEARTBEAT
        data = self.backlog.take()
        self._relief.set()
        return data

    def _put(self, data: bytes) -> None:
        self.is_cut = self.is_cut or not self.backlog.put(data)
        self._wake.set()


class Streams:
    """One worker's. `may` says whether an identity may read a topic now."""

    def __init__(
        self,
        hub: Hub,
        *,
        may: Callable[[Identity, str], bool],
        changes: Changes,
        realm: str,
        rng: Random,
        is_open: bool = False,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        """`is_open`: whoever calls without credentials is served as anybody (ENABLE_AUTHENTICATION=false)."""
        self._hub = hub
        self._may = may
        self._changes = changes
        self._realm = realm
        self._rng = rng
        self._is_open = is_open
        self._clock = clock
        self._all: set[Stream] = set()
        self._by_owner: Counter[str] = Counter()
        self._is_leaving = False
        self._providers: Providers | None = None  # before the first swap, those that let them in
        self.cut = 0
        """How many clients were too slow."""
        changes.subscribe(self._changed)

    def __len__(self) -> int:
        return len(self._all)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = self._wanted(scope)
        if isinstance(wanted, Rejection):
            await refuse(scope, send, wanted)
            return
        stream, after = wanted
        self._add(stream)
        listening = asyncio.create_task(_until_gone(receive))
        replaying = asyncio.create_task(self._subscribe(stream, after))
        sending = asyncio.create_task(self._send(stream, send))
        try:
            await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (listening, replaying, sending):
                task.cancel()
            await asyncio.gather(listening, replaying, sending, return_exceptions=True)
            self._discard(stream)

    def reconcile(self, new: Snapshot) -> None:
        """Rights may have changed with the revision, and identity providers gone."""
        self._providers = new.providers
        for stream in list(self._all):
            self._judge(stream)

    def leave(self) -> None:
        """The worker is going away: clients come back elsewhere, with what they saw last."""
        self._is_leaving = True
        for stream in list(self._all):
            self._end_soon(stream)

    # Asking

    def _wanted(self, scope: Scope) -> tuple[Stream, str] | Rejection:
        if scope["method"] != "GET":
            return problems.method_not_allowed(("GET",))
        caller: Identity | None = scope.get(SCOPE_IDENTITY) or (ANYBODY if self._is_open else None)
        if caller is None:
            reason: Reason = scope.get(SCOPE_AUTH_FAILURE) or "missing"
            return problems.unauthenticated(reason, methods=METHODS, realm=self._realm)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        topics = tuple(dict.fromkeys(value for name, value in query if name == "topic"))
        if not 1 <= len(topics) <= MOST_TOPICS:
            return _invalid("topic", f"give 1 to {MOST_TOPICS} of them")
        for topic in topics:
            if not is_topic(topic):
                return _invalid("topic", "is no name of a topic")
            if not (caller is ANYBODY or self._may(caller, topic)):
                return problems.forbidden({"topic": topic})
        after = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        after = after or dict(query).get("last_event_id", "")
        if len(after) > LONGEST_ID:
            return _invalid("last_event_id", "is not the id of an event")
        if self._by_owner[owner_of(caller)] >= MOST_PER_USER and caller is not ANYBODY:
            return _TOO_MANY
        return Stream(caller, topics), after

    async def _subscribe(self, stream: Stream, after: str) -> None:
        for topic in stream.topics:
            await self._hub.subscribe(topic, stream, after=after)

    async def _send(self, stream: Stream, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"date", http_date()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BEGINNING, "more_body": True})
        while not stream.is_cut:
            data = await stream.next()
            is_last = bool(stream.end) and not stream.is_cut
            if data or is_last:
                body = data + stream.end if is_last else data
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})
            if is_last:
                return
        self.cut += 1
        raise ResponseAborted

    # Who may stay

    def _add(self, stream: Stream) -> None:
        self._all.add(stream)
        self._by_owner[owner_of(stream.identity)] += 1
        self._expire(stream)
        self._judge(stream)
        if self._is_leaving:
            self._end_soon(stream)

    def _discard(self, stream: Stream) -> None:
        for topic in stream.topics:
            self._hub.unsubscribe(topic, stream)
        self._all.discard(stream)
        owner = owner_of(stream.identity)
        self._by_owner[owner] -= 1
        if not self._by_owner[owner]:
            del self._by_owner[owner]
        if stream.expiry is not None:
            stream.expiry.cancel()

    def _changed(self, _subjects: tuple[str, ...]) -> None:
        for stream in list(self._all):
            self._judge(stream)

    def _judge(self, stream: Stream) -> None:
        if stream.identity is ANYBODY:
            return
        if self._changes.is_stale(stream.identity):
            stream.finish("AUTH_ERROR", "The credentials were revoked.")
        elif self._providers is not None and not stream.identity.is_vouched_for(self._providers):
            stream.finish("AUTH_ERROR", "The identity provider is gone.")
        elif not all(self._may(stream.identity, topic) for topic in stream.topics):
            stream.finish("FORBIDDEN", "A topic may not be read any more.")

    def _expire(self, stream: Stream) -> None:
        left_s = stream.identity.expires_at - self._clock()
        if left_s <= 0:
            stream.finish("AUTH_ERROR", "The credentials have expired.")
        elif left_s != float("inf"):
            loop = asyncio.get_running_loop()
            stream.expiry = loop.call_later(min(left_s, _LONGEST_TIMER_S), self._expire, stream)

    def _end_soon(self, stream: Stream) -> None:
        wait_s = self._rng.random() * LEAVING_S
        message = "The worker is leaving."
        asyncio.get_running_loop().call_later(wait_s, stream.finish, "SERVICE_UNAVAILABLE", message)


def _invalid(field: str, message: str) -> Rejection:
    return Rejection(Code.INVALID_REQUEST, f"{field}: {message}.", details={"field": field})


async def _until_gone(receive: Receive) -> None:
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return
