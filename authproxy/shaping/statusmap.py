"""I: The status for the client in the place of the upstream's. Breakers and retries go by the upstream's own."""

from collections.abc import Mapping
from typing import Final

import httpx

from authproxy.exchange import Exchange
from authproxy.headers import Pair
from authproxy.shaping.mending import BODILESS
from authproxy.shaping.pieces import MemoryBody
from authproxy.upstream import slim

_OF_BODY: Final = frozenset(
    {
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"content-language",
        b"content-range",
        b"content-md5",
        b"digest",
        b"content-digest",
        b"transfer-encoding",
        b"trailer",
        b"accept-ranges",
    }
)


class StatusMap:
    """A route's shaper."""

    def __init__(self, statuses: Mapping[int, int]) -> None:
        self._statuses = statuses

    async def shape(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        """Another status; a body goes with one that has none, and where there was none there is an empty one."""
        old = response.status_code
        new = self._statuses.get(old)
        if new is None:
            return response
        pairs, body = slim.raw_pairs(response), slim.body(response)
        if new in BODILESS or old in BODILESS:
            _, done = body.take()
            if not done:
                await body.aclose()
            pairs = _without_body(pairs, new)
            if new not in (204, 304):
                pairs.append((b"content-length", b"0"))
            return slim.response(new, pairs, MemoryBody(b""), response.extensions, response.request)
        return slim.response(new, pairs, response.stream, response.extensions, response.request)  # type: ignore[arg-type]


def _without_body(pairs: list[Pair], status: int) -> list[Pair]:
    """What is said of the body goes with it; a 304 keeps what it says of what the client has."""
    kept = (b"content-type", b"content-language") if status == 304 else ()
    return [pair for pair in pairs if pair[0] not in _OF_BODY or pair[0] in kept]
