"""I: The shaper that stores answers, first of a route's shapers: it sees them as the service gave them.

What it has to know of the request is put into its scope by `Caching`. Requests for which nothing was put there are
served from the cache, or have nothing to do with it.
"""

from collections.abc import Awaitable
from typing import Final, NamedTuple

import httpx

from authproxy.caching.asking import Asked
from authproxy.caching.body import StoredBody
from authproxy.caching.cache import Cache, Open, public_of
from authproxy.caching.dates import http_date
from authproxy.caching.directives import Directives, directives_of
from authproxy.caching.entry import Entry
from authproxy.caching.flights import Flight, Landing
from authproxy.caching.freshness import Received, Times, times_of
from authproxy.caching.judging import serves_instead_of_error
from authproxy.caching.keys import Key
from authproxy.caching.memory import Uncached
from authproxy.caching.serving import served
from authproxy.caching.storability import Answered, Asker, is_everybodys, refused_because, vary_of
from authproxy.caching.tags import tags_of
from authproxy.caching.validation import freshened, is_unchanged, of_not_modified
from authproxy.exchange import Exchange
from authproxy.headers import HOP_BY_HOP, Pair, Pairs, connection_listed
from authproxy.shaping.pieces import memory_response, with_body
from authproxy.upstream import slim
from resilience.clock import wall_clock
from routing.shapes.cache import CachePolicy

SCOPE_FILLING: Final = "torana.filling"
FAILURES: Final = frozenset({500, 502, 503, 504})
"""What a stale answer may stand in for (RFC 5861 section 4)."""
UNCACHED_S: Final = 10.0
_DROPPED: Final = HOP_BY_HOP | {b"age", b"x-cache", b"x-request-id", b"traceparent"}
_BODYLESS: Final = (204, 304)


class Terms(NamedTuple):
    """On which an answer is kept."""

    times: Times
    tags: tuple[str, ...]
    vary: tuple[bytes, ...]


class Filling:
    """One request that goes to the service, and whose answer may be kept."""

    __slots__ = (
        "asked", "authorized", "begun", "cache", "detail", "entry", "epoch", "fields", "flight", "head_only",
        "in_parts", "key", "opened", "policy", "requested_at", "route", "stores",
    )  # fmt: skip

    def __init__(
        self,
        cache: Cache,
        policy: CachePolicy,
        route: str,
        key: Key,
        asked: Asked,
        fields: tuple[Pairs, ...],
        opened: Open,
        *,
        entry: Entry | None,
        epoch: bytes | None,
        flight: Flight | None,
        detail: bytes,
        authorized: bool,
        in_parts: bool,
        head_only: bool = False,
        stores: bool = True,
    ) -> None:
        self.cache = cache
        self.policy = policy
        self.route = route
        self.key = key
        self.asked = asked
        self.fields = fields
        """Of the request, as the service sees them: what a Vary is about."""
        self.opened = opened
        self.entry = entry
        """What is stored already, and asked about or to stand in."""
        self.epoch = epoch
        self.flight = flight
        self.detail = detail
        self.authorized = authorized
        self.in_parts = in_parts
        self.head_only = head_only
        self.stores = stores
        self.requested_at = wall_clock()
        self.begun = False
        """The answer's body is being stored: how that ends is its own business."""

    def land(self, landing: Landing) -> None:
        if self.flight is not None:
            self.flight.land(landing)

    def received(
        self, exchange: Exchange, response: httpx.Response
    ) -> httpx.Response | Awaitable[httpx.Response]:
        """The answer that goes on."""
        now, entry, status = wall_clock(), self.entry, response.status_code
        if entry is not None and self.stores:
            if status == 304:
                return self._confirmed(response, entry, now)
            if status in FAILURES and serves_instead_of_error(entry.times, self.asked, now):
                self.land(Landing.UNSHARED)
                return self._instead(response, entry, now)
        return self._new(exchange, response, now)

    async def _confirmed(self, response: httpx.Response, entry: Entry, now: float) -> httpx.Response:
        """304: what is stored holds on, with the fields that the answer brings. They may forbid to keep it."""
        raw = slim.raw_pairs(response)
        headers = freshened(entry.headers, kept_fields(raw))
        terms = self._terms(entry.status, headers, raw, now)
        times, tags, vary = terms or Terms(entry.times, (), ())
        number = self.opened.number
        fresh = Entry(entry.status, headers, entry.body, times, route=self.route, tags=tags, number=number)
        detail = self.detail + b"; fwd-status=304"
        if terms is None:
            self.cache.memory.forget_url(self.key.url)
            self.land(Landing.UNSHARED)
        else:
            self._keep(fresh, now, vary)
            self.land(Landing.STORED)
            detail += b"; stored"
        await _left(response)
        return self._of(fresh, now, b"HIT", detail)

    async def _instead(self, response: httpx.Response, entry: Entry, now: float) -> httpx.Response:
        detail = b"hit; fwd=stale; fwd-status=%d" % response.status_code
        await _left(response)
        return self._of(entry, now, b"STALE", detail)

    def _of(self, entry: Entry, now: float, kind: bytes, detail: bytes) -> httpx.Response:
        made = served(
            entry, self.asked, now, kind=kind, detail=detail, head_only=self.head_only, in_parts=self.in_parts
        )
        return memory_response(made.status, made.headers, made.body)

    def _new(
        self, exchange: Exchange, response: httpx.Response, now: float
    ) -> httpx.Response | Awaitable[httpx.Response]:
        raw = slim.raw_pairs(response)
        headers = kept_fields(raw)
        terms: Terms | None = None
        if self.stores and not _is_open_ended(response, raw):
            terms = self._terms(response.status_code, headers, raw, now)
        detail = self.detail if terms is None else self.detail + b"; stored"
        exchange.cache = "MISS"
        exchange.answer_fields = (*exchange.answer_fields, *marks(raw, b"MISS", detail))
        if terms is None:
            if self.stores and response.status_code < 500:
                self._mark_uncached(now)
            self.land(Landing.UNSHARED)
            return response
        return self._stored(response, headers, terms)

    def _terms(self, status: int, headers: list[Pair], raw: Pairs, now: float) -> Terms | None:
        """None: it is not kept."""
        times = self._times(status, _with_age(headers, raw), now)
        tags = tags_of(headers, self.policy.tags)
        vary = vary_of(value for name, value in headers if name == b"vary")
        if times is None or tags is None or self._refusal(status, headers, times, vary):
            return None
        return Terms(times, tags, vary)

    def _stored(
        self, response: httpx.Response, headers: list[Pair], terms: Terms
    ) -> httpx.Response | Awaitable[httpx.Response]:
        status = response.status_code
        times, tags, vary = terms

        def keep(body: bytes) -> None:
            if status != 204 and _said_length(headers) not in (None, len(body)):
                return give_up(Landing.UNSHARED)
            complete = headers if status == 204 else _with_length(headers, len(body))
            entry = Entry(
                status, complete, body, times, route=self.route, tags=tags, number=self.opened.number
            )
            self._keep(entry, wall_clock(), vary)
            return self.land(Landing.STORED)

        def give_up(landing: Landing) -> None:
            self.cache.close(self.opened)
            if landing is Landing.UNSHARED:
                self._mark_uncached(wall_clock())
            self.land(landing)

        self.begun = True
        body = StoredBody(
            slim.body(response),
            limit=self.policy.max_body,
            keep=keep,
            give_up=give_up,
            beside=self.cache.beside,
        )
        if self.flight is not None:
            self.flight.begun(body.hurry)
        if status == 200 and self.asked.is_conditional and self._has_it(headers):
            return self._not_modified(response, headers, body)
        return with_body(response, slim.raw_pairs(response), body)

    async def _not_modified(
        self, response: httpx.Response, headers: list[Pair], body: StoredBody
    ) -> httpx.Response:
        """The client has it; it is stored for those who do not."""
        body.take()
        if not body.released:
            body.hurry()
            await body.aclose()
        return memory_response(304, of_not_modified(headers), b"")

    def _mark_uncached(self, now: float) -> None:
        """The next requests of this kind do not wait for each other."""
        self.cache.memory.put(self.key, Uncached(now + UNCACHED_S), (), *self.fields)

    def _has_it(self, headers: Pairs) -> bool:
        fields = dict(headers)
        return is_unchanged(
            if_none_match=self.asked.if_none_match,
            if_modified_since=self.asked.if_modified_since,
            etag=fields.get(b"etag"),
            last_modified=fields.get(b"last-modified"),
        )

    def _keep(self, entry: Entry, now: float, vary: tuple[bytes, ...] = ()) -> None:
        key = self.key
        if is_everybodys(_control(entry.headers)):
            self.cache.memory.drop(key)
            key = public_of(key)
        self.cache.keep(self.opened, key, entry, vary, self.fields, epoch=self.epoch, now=now)
        self.cache.close(self.opened)

    def _times(self, status: int, headers: Pairs, now: float) -> Times | None:
        fields = dict(reversed([*headers]))
        answer = Received(status, fields, _control(headers), self.requested_at, now)
        return times_of(answer, self.policy)

    def _refusal(self, status: int, headers: list[Pair], times: Times, vary: tuple[bytes, ...]) -> str:
        fields = dict(headers)
        answered = Answered(
            status,
            frozenset(fields),
            fields.get(b"content-type", b"").lower(),
            _control(headers),
            vary,
            sum(len(name) + len(value) for name, value in headers),
            _said_length(headers),
        )
        asker = Asker(self.asked.no_store, self.authorized)
        has_validator = b"etag" in fields or b"last-modified" in fields
        return refused_because(
            answered, asker, times, has_validator=has_validator, max_body=self.policy.max_body
        )


def fill(exchange: Exchange, response: httpx.Response) -> httpx.Response | Awaitable[httpx.Response]:
    """The shaper."""
    filling = exchange.scope.pop(SCOPE_FILLING, None)
    if filling is None:
        return response
    shaped: httpx.Response | Awaitable[httpx.Response] = filling.received(exchange, response)
    return shaped


def marks(headers: Pairs, kind: bytes, detail: bytes) -> tuple[Pair, Pair]:
    """X-Cache and Cache-Status of an answer with these fields; what earlier caches say in the latter stays."""
    said = [value for name, value in headers if name == b"cache-status"]
    return (b"x-cache", kind), (b"cache-status", b", ".join([*said, b"Torana; " + detail]))


def kept_fields(headers: Pairs) -> list[Pair]:
    """An answer's fields without those that are of one hop, or of one request."""
    listed = {name for field, value in headers if field == b"connection" for name in connection_listed(value)}
    return [pair for pair in headers if pair[0] not in _DROPPED and pair[0] not in listed]


def _control(headers: Pairs) -> Directives:
    return directives_of([value for name, value in headers if name == b"cache-control"])


def _with_age(headers: Pairs, raw: Pairs) -> Pairs:
    return [*headers, *(pair for pair in raw if pair[0] == b"age")]


def _said_length(headers: Pairs) -> int | None:
    length = dict(headers).get(b"content-length", b"")
    return int(length) if length.isdigit() else None


def _with_length(headers: list[Pair], length: int) -> list[Pair]:
    """Stored answers are whole: they have a length and a date."""
    found = [pair for pair in headers if pair[0] != b"content-length"]
    found.append((b"content-length", b"%d" % length))
    if not any(name == b"date" for name, _ in found):
        found.append((b"date", http_date(wall_clock())))
    return found


def _is_open_ended(response: httpx.Response, headers: Pairs) -> bool:
    """Its end is that of the connection: nobody knows whether it is whole (RFC 9112 section 8)."""
    version = response.extensions.get("http_version", b"")
    if not version.startswith(b"HTTP/1") or response.status_code in _BODYLESS:
        return False
    return not any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)


async def _left(response: httpx.Response) -> None:
    """Nobody wants the rest."""
    body = slim.body(response)
    body.take()
    if not body.released:
        await body.aclose()
