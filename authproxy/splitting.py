"""I: The destination of a route that shares its requests among services: one is chosen, then it is as with one.

In this order: the service that the request names, the one that its cookie remembers (or its caller's), chance. The
breaker and the targets of the chosen service decide alone from there: another service never stands in for it, because
that would send a whole service's traffic to one that may be new, and hide that it is down.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from authproxy.attempt import failure_of
from authproxy.exchange import Exchange
from authproxy.forwarder import SWITCHED, forward
from authproxy.handshake import SCOPE_HANDSHAKE, Handshake
from authproxy.hashing import caller_key
from authproxy.headers import Pairs
from authproxy.rejections import Rejection
from resilience.canaries import Live
from resilience.clock import monotonic
from resilience.outcomes import Outcome
from routing.splitting import Share, Split, by_chance, moved, set_cookie, settled

Tell = Callable[[Exchange, str], Pairs]
"""What a service is told of the caller."""


_AWAY: Final = frozenset({Outcome.CIRCUIT_OPEN, Outcome.NO_TARGET, Outcome.OVERLOADED})
"""A service that nobody may ask is no better than one that fails."""


def settled_for(split: Split, exchange: Exchange) -> Share | None:
    """Whom the request goes to, where it is not left to chance."""
    key = caller_key(exchange) if split.sticky == "consumer" else b""
    found = settled(split, exchange.scope["headers"], key)
    return None if found is None else found[0]


class Splitting:
    """One route's."""

    __slots__ = ("_roll", "_split", "_tell")

    def __init__(self, split: Split, tell: Tell, *, roll: Callable[[], float]) -> None:
        self._split = split
        self._tell = tell
        self._roll = roll

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """Choose, and send the request there."""
        service = self.choose(exchange).service
        exchange.caller_fields = self._tell(exchange, service)
        return await forward(exchange, service)

    def choose(self, exchange: Exchange) -> Share:
        """Whom the request goes to; a client that is to be remembered gets its cookie with the answer."""
        return self._choose(exchange, self._split)

    def _choose(self, exchange: Exchange, split: Split) -> Share:
        found = settled_for(split, exchange)
        if found is not None:
            return found
        share = by_chance(split.shares, self._roll()) or split.shares[0]
        if split.sticky == "cookie":
            cookie = set_cookie(split, share, secure=exchange.origin.scheme == "https")
            exchange.answer_fields = (*exchange.answer_fields, (b"set-cookie", cookie))
        return share


class CanarySplitting(Splitting):
    """One route's whose last service is a canary: its share is what the worker knows now, and all answers are counted.

    How long a request took includes its answer's way to the client: the same for both sides.
    """

    __slots__ = ("_canary", "_live", "_now", "_percent")

    def __init__(self, split: Split, tell: Tell, *, live: Live, roll: Callable[[], float]) -> None:
        super().__init__(split, tell, roll=roll)
        self._live = live
        self._canary = split.services[-1]
        self._percent = -1.0
        self._now = split

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """Choose, send the request there, and count how it ended, for the step in which it began."""
        tally, began = self._live.tally, monotonic()
        service = self.choose(exchange).service
        exchange.caller_fields = self._tell(exchange, service)
        side = tally.canary if service == self._canary else tally.others
        handshake: Handshake | None = exchange.scope.get(SCOPE_HANDSHAKE)
        if handshake is not None:
            handshake.on_open = lambda: side.count(monotonic() - began, failed=False)
        try:
            return await forward(exchange, service)
        finally:
            failed = True if exchange.outcome in _AWAY else failure_of(exchange.outcome)
            if failed is not None and exchange.status != SWITCHED:
                side.count(monotonic() - began, failed=failed)

    def choose(self, exchange: Exchange) -> Share:
        """By the shares of now."""
        percent = self._live.percent
        if percent != self._percent:
            self._percent = percent
            self._now = replace(self._split, shares=moved(self._split.shares, percent))
        return self._choose(exchange, self._now)
