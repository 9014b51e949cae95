"""I: What stands around the destination of a route that has `cache`: answers from what is stored, or has it filled.

fresh ──────────────────────────────────────────▶ served, with a look into a dict and little else
stale, while revalidating ──▶ served, and a new one is fetched beside it
miss ──▶ one leads ──▶ Redis ──▶ the service ──▶ relayed, and stored by the shaper `fill`
     └─▶ the others wait for it
unsafe method ──▶ the service ──▶ the URL is invalidated (RFC 9111 section 4.4)
"""

import asyncio
from typing import Final

from authproxy.caching.asking import PLAIN, Asked, asked_of, without_conditions
from authproxy.caching.cache import Cache
from authproxy.caching.entry import Entry
from authproxy.caching.filling import SCOPE_FILLING, Filling, marks
from authproxy.caching.flights import Flight, Landing
from authproxy.caching.handing import hand_out
from authproxy.caching.invalidating import Changing
from authproxy.caching.judging import Use, judge, serves_instead_of_error
from authproxy.caching.keys import Key
from authproxy.caching.memory import Uncached
from authproxy.caching.refreshing import Refreshing
from authproxy.caching.routekeys import RouteKeys, seen_fields
from authproxy.caching.serving import hit_detail, served, whole
from authproxy.caching.validation import conditions
from authproxy.exchange import CLIENT_CLOSED_REQUEST, Exchange
from authproxy.rejections import Code, Rejection
from authproxy.relaying import relay
from authproxy.shaping.pieces import memory_response
from authproxy.steps import Destination
from resilience import deadlines
from resilience.clock import wall_clock
from resilience.outcomes import Outcome
from routing.shapes.cache import CachePolicy
from routing.snapshot import CompiledRoute

ROUNDS: Final = 3
"""How often a request waits for another one before it goes alone."""
SAFE: Final = frozenset({"OPTIONS", "TRACE"})
_ONLY_IF_CACHED: Final = Rejection(
    Code.UPSTREAM_TIMEOUT,
    "Nothing is stored that could answer this request.",
    details={"reason": "only_if_cached"},
    headers=((b"x-cache", b"MISS"), (b"cache-status", b"Torana; detail=only-if-cached")),
)
"""RFC 9111 section 5.2.1.7."""


class Caching:
    """One route's."""

    __slots__ = (
        "_cache", "_destination", "_in_parts", "_is_straight", "_keys", "_policy", "_refreshing", "_route"
    )  # fmt: skip

    def __init__(
        self,
        route: CompiledRoute,
        policy: CachePolicy,
        destination: Destination,
        cache: Cache,
        *,
        in_parts: bool,
    ) -> None:
        """`in_parts`: ranges are answered; not where later shapers change bodies."""
        self._route = route.name
        self._policy = policy
        self._destination = destination
        self._cache = cache
        self._keys = RouteKeys(route, policy)
        self._in_parts = in_parts
        self._is_straight = in_parts and route.response_headers is None
        self._refreshing = Refreshing(route, destination)

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """The destination."""
        method = exchange.method
        if method != "GET" and method != "HEAD":
            return await self._changed(exchange)
        head = exchange.head
        asked = asked_of(head.passed)
        if asked.no_store or asked.precondition or head.has_body:
            return await self._passed(exchange, b"fwd=request")
        own, cache = self._keys.of(exchange), self._cache
        fields = (head.passed, exchange.caller_fields, exchange.origin.fields)
        found = cache.find(own, *fields)
        epoch: bytes | None = None
        if cache.is_shared and not asked.no_cache and _may_be_better(found):
            found, epoch = await cache.fetch(own, *fields)
        if type(found) is Entry:
            now = wall_clock()
            if asked is PLAIN and now < found.plainly_until and method == "GET":
                if self._is_straight and found.status < 500 and not exchange.answer_fields:
                    await hand_out(exchange, found, now)
                    return None
                exchange.cache = "HIT"
                return await relay(exchange, memory_response(found.status, whole(found, now), found.body), "")
            use = judge(found.times, asked, now)
            if use is Use.FRESH:
                return await self._serve(exchange, found, asked, now, b"HIT", hit_detail(found, now))
            if use is not Use.ASK:
                return await self._stale(exchange, own, found, asked, now, use, epoch)
        return await self._missed(exchange, own, found, asked, epoch)

    async def _serve(
        self, exchange: Exchange, entry: Entry, asked: Asked, now: float, kind: bytes, detail: bytes
    ) -> Rejection | None:
        exchange.cache = kind.decode()
        made = served(
            entry,
            asked,
            now,
            kind=kind,
            detail=detail,
            head_only=exchange.method == "HEAD",
            in_parts=self._in_parts,
        )
        return await relay(exchange, memory_response(made.status, made.headers, made.body), "")

    async def _stale(
        self,
        exchange: Exchange,
        own: Key,
        entry: Entry,
        asked: Asked,
        now: float,
        use: Use,
        epoch: bytes | None,
    ) -> Rejection | None:
        if use is Use.MEANWHILE:
            flight, leads = self._cache.flights.join(own)
            if flight is not None and leads:
                filling = self._filling(exchange, own, asked, entry, flight, b"fwd=stale", epoch)
                self._refreshing.begin(self._cache, exchange, filling)
        return await self._serve(exchange, entry, asked, now, b"STALE", hit_detail(entry, now))

    async def _missed(
        self,
        exchange: Exchange,
        own: Key,
        found: Entry | Uncached | None,
        asked: Asked,
        epoch: bytes | None,
    ) -> Rejection | None:
        entry = found if isinstance(found, Entry) else None
        is_marked = isinstance(found, Uncached) and wall_clock() < found.until
        joins = not (is_marked or asked.no_cache or asked.only_if_cached or _is_never_fresh(entry))
        if not joins or exchange.method == "HEAD" or asked.range is not None:
            return await self._alone(exchange, own, entry, asked, None, epoch, is_marked=is_marked)
        for _ in range(ROUNDS):
            variant = self._cache.variant_of(own, *seen_fields(exchange))
            flight, leads = self._cache.flights.join((own, variant))
            if flight is None:
                break
            if leads:
                return await self._led(exchange, own, entry, asked, flight, epoch)
            landing = await _waited(exchange, flight)
            now = wall_clock()
            kept = self._cache.find(own, *seen_fields(exchange))
            if isinstance(kept, Entry) and judge(kept.times, asked, now) in (Use.FRESH, Use.MEANWHILE):
                return await self._serve(exchange, kept, asked, now, b"HIT", b"fwd=uri-miss; collapsed")
            if landing is Landing.UNSHARED or isinstance(kept, Entry):
                break
        return await self._alone(exchange, own, entry, asked, None, epoch)

    async def _led(
        self,
        exchange: Exchange,
        own: Key,
        entry: Entry | None,
        asked: Asked,
        flight: Flight,
        epoch: bytes | None,
    ) -> Rejection | None:
        """Others wait for this one, and learn how it ended, whatever happens to it."""
        try:
            refusal = await self._alone(exchange, own, entry, asked, flight, epoch)
        except BaseException:
            if not flight.has_begun:
                flight.land(Landing.ABANDONED)
            raise
        if not flight.has_begun:
            flight.land(Landing.UNSHARED)
        return refusal

    async def _alone(
        self,
        exchange: Exchange,
        own: Key,
        entry: Entry | None,
        asked: Asked,
        flight: Flight | None,
        epoch: bytes | None,
        *,
        is_marked: bool = False,
    ) -> Rejection | None:
        """To the service. `is_marked`: its answer will hardly be stored, so the client's conditions go along."""
        if asked.only_if_cached:
            return _ONLY_IF_CACHED
        detail = b"fwd=request" if asked.no_cache else b"fwd=uri-miss" if entry is None else b"fwd=stale"
        filling = self._filling(exchange, own, asked, entry, flight, detail, epoch)
        return await self._asked(exchange, filling, keeps_conditions=is_marked)

    async def _asked(
        self, exchange: Exchange, filling: Filling, *, keeps_conditions: bool
    ) -> Rejection | None:
        """The service's answer, or the stored one in its place."""
        head, entry, asked = exchange.head, filling.entry, filling.asked
        if filling.stores and not keeps_conditions:
            head.passed = without_conditions(head.passed)
            if entry is not None:
                head.passed += conditions(entry.etag, entry.last_modified)
        exchange.scope[SCOPE_FILLING] = filling
        try:
            refusal = await self._destination(exchange)
        finally:
            exchange.scope.pop(SCOPE_FILLING, None)
            if not filling.begun:
                self._cache.close(filling.opened)
        if refusal is None or refusal.status < 500 or exchange.status == CLIENT_CLOSED_REQUEST:
            return refusal
        now = wall_clock()
        if entry is None or not serves_instead_of_error(entry.times, asked, now):
            return refusal
        exchange.outcome = Outcome.OK
        return await self._serve(exchange, entry, asked, now, b"STALE", b"hit; fwd=stale")

    def _filling(
        self,
        exchange: Exchange,
        own: Key,
        asked: Asked,
        entry: Entry | None,
        flight: Flight | None,
        detail: bytes,
        epoch: bytes | None,
    ) -> Filling:
        is_partial = asked.range is not None and entry is None
        return Filling(
            self._cache,
            self._policy,
            self._route,
            own,
            asked,
            seen_fields(exchange),
            self._cache.open(own.url),
            entry=entry,
            epoch=epoch,
            flight=flight,
            detail=detail,
            authorized=self._keys.passes_authorization(exchange),
            in_parts=self._in_parts,
            head_only=exchange.method == "HEAD",
            stores=exchange.method == "GET" and not is_partial,
        )

    async def _passed(self, exchange: Exchange, detail: bytes) -> Rejection | None:
        """The cache has no part in it."""
        exchange.cache = "BYPASS"
        exchange.answer_fields = (*exchange.answer_fields, *marks((), b"BYPASS", detail))
        return await self._destination(exchange)

    async def _changed(self, exchange: Exchange) -> Rejection | None:
        if exchange.method not in SAFE:
            exchange.scope[SCOPE_FILLING] = Changing(self._cache, self._keys.of(exchange).url)
        return await self._passed(exchange, b"fwd=method")


async def _waited(exchange: Exchange, flight: Flight) -> Landing:
    """How it ended; no longer than the client waits, who is told then that its time was over."""
    told = exchange.head.timeout_ms
    try:
        async with asyncio.timeout(deadlines.claimed_s(told) if told else None):
            return await flight.wait()
    except TimeoutError:
        return Landing.UNSHARED


def _may_be_better(found: Entry | Uncached | None) -> bool:
    """Whether Redis may have what this process has not."""
    if type(found) is Entry:
        return wall_clock() >= found.times.fresh_until and not _is_never_fresh(found)
    return not (isinstance(found, Uncached) and wall_clock() < found.until)


def _is_never_fresh(entry: Entry | None) -> bool:
    """Each request asks the service anyway: none of them waits for another."""
    return entry is not None and (entry.times.always_asks or entry.times.fresh_until <= entry.times.born)
