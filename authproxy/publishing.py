"""I: The destination that publishes: the request's body becomes an event of the message hub, and the answer is 202.

202 is said only of what the hub has confirmed or the outbox keeps. In all other cases it is 503: nobody has promised
to keep the event, so the client sends it again. It may have arrived all the same: at least once.
"""

import math
from typing import Final

import orjson

from authproxy import bodies, problems
from authproxy.bus import LARGEST_BODY, Bus, Published, Unpublished
from authproxy.exchange import Exchange
from authproxy.headers import Pair
from authproxy.rejections import Code, Rejection
from authproxy.relaying import relay
from authproxy.shaping.pieces import memory_response
from resilience.clock import http_date
from routing.snapshot import CompiledRoute

ACCEPTED: Final = 202
NO_HUB: Final = Unpublished("No message hub is configured.", retry_after_s=60.0)


class Publishing:
    """One route's. `published` and `refused` count since the revision was compiled."""

    __slots__ = ("_bus", "_tells", "_topic", "published", "refused")

    def __init__(self, route: CompiledRoute, topic: str, bus: Bus | None) -> None:
        self._topic = topic
        self._bus = bus
        self._tells = route.forward_identity != "none"
        self.published = 0
        self.refused = 0

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """202 with the event's id, or the refusal."""
        body = await bodies.whole(exchange, LARGEST_BODY)
        if isinstance(body, Rejection):
            return body
        told = await self._publish(exchange, body)
        if isinstance(told, Unpublished):
            self.refused += 1
            return refusal_of(told, self._topic)
        self.published += 1
        said = orjson.dumps({"id": told.id, "topic": self._topic, "kept_by": told.kept_by})
        headers: list[Pair] = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(said)),
            (b"date", http_date()),
        ]
        return await relay(exchange, memory_response(ACCEPTED, headers, said), "")

    async def _publish(self, exchange: Exchange, body: bytes) -> Published | Unpublished:
        if self._bus is None:
            return NO_HUB
        content_type = next((value for name, value in exchange.head.passed if name == b"content-type"), b"")
        return await self._bus.publish(
            self._topic, body, content_type=content_type, headers=self._headers(exchange)
        )

    def _headers(self, exchange: Exchange) -> dict[str, str]:
        """Who sent it, as upstreams are told, and how to find the request again."""
        found = {
            "x-request-id": exchange.request_id.decode("latin-1"),
            "traceparent": exchange.traceparent.decode("latin-1"),
        }
        if exchange.identity is not None and self._tells:
            fields = exchange.identity.fields(exchange.snapshot.roles)
            found |= {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
        return found


def refusal_of(told: Unpublished, topic: str) -> Rejection:
    """503 with Retry-After; 413 where no repetition would help."""
    if told.is_too_large:
        return problems.payload_too_large(LARGEST_BODY)
    wait_s = max(1, math.ceil(told.retry_after_s))
    return Rejection(
        Code.SERVICE_UNAVAILABLE,
        told.why,
        details={"topic": topic, "reason": "message_hub", "retry_after": wait_s},
        headers=((b"retry-after", b"%d" % wait_s),),
    )
