"""I: Pages of other origins: preflights are answered here, and each answer says who may read it (Fetch section 3.2).

A preflight is an OPTIONS that names the method to come. It is answered before anybody asks who calls, because browsers
send no credentials with it; a plain OPTIONS is a request like any other.
"""

from functools import lru_cache
from typing import Final

from authproxy.answers import answer
from authproxy.exchange import Exchange
from authproxy.headers import Pairs
from authproxy.rejections import Code, Rejection
from routing.shapes.cors import VARY_PREFLIGHT, CorsPolicy, answer_fields, origin_of, preflight_fields

STRANGER: Final = Rejection(
    Code.FORBIDDEN, "Pages of this origin may not call here.", details={"reason": "origin"}
)
_MOST_REMEMBERED: Final = 256


class Cors:
    """One policy. Remembers what it says to the latest origins that may call."""

    __slots__ = ("_nobody", "_policy", "_said")

    def __init__(self, policy: CorsPolicy) -> None:
        self._policy = policy
        self._nobody: Pairs = answer_fields(policy, b"")
        self._said: dict[bytes, Pairs] = {}

    def step(self, exchange: Exchange) -> None:
        """What every answer says, refusals included."""
        fields = self._nobody
        if not self._policy.any_origin and (origin := origin_of(exchange.scope["headers"])):
            fields = self._said.get(origin) or self._fields(origin)
        exchange.answer_fields = (*exchange.answer_fields, *fields)

    async def preflight(self, exchange: Exchange, method: str) -> Rejection | None:
        """Answers one that asks for `method`, or refuses it."""
        origin = origin_of(exchange.scope["headers"])
        if not self._policy.allows(origin):
            exchange.answer_fields = (*exchange.answer_fields, VARY_PREFLIGHT)
            return STRANGER
        await answer(exchange, 204, [*preflight_fields(self._policy, origin, method)], b"")
        return None

    def _fields(self, origin: bytes) -> Pairs:
        if not self._policy.allows(origin):
            return self._nobody
        if len(self._said) >= _MOST_REMEMBERED:
            self._said.clear()
        fields = self._said[origin] = answer_fields(self._policy, origin)
        return fields


@lru_cache(maxsize=1024)
def prepared(policy: CorsPolicy) -> Cors:
    """Routes with the same policy share what is made of it."""
    return Cors(policy)
