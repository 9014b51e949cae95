"""I: A stored answer straight to the client: what `relay` does with it, worked out once a second."""

from authproxy.caching.entry import Entry
from authproxy.caching.serving import whole
from authproxy.exchange import Exchange
from authproxy.headers import Pair, response_headers


async def hand_out(exchange: Exchange, entry: Entry, now: float) -> None:
    """For a fresh answer that nothing is to be changed of, to a request that says nothing of caches."""
    exchange.status = entry.status
    exchange.sent = len(entry.body)
    exchange.cache = "HIT"
    headers = [
        *_ready(exchange, entry, now),
        (b"x-request-id", exchange.request_id),
        (b"traceparent", exchange.traceparent),
    ]
    await exchange.send({"type": "http.response.start", "status": entry.status, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": entry.body})


def _ready(exchange: Exchange, entry: Entry, now: float) -> list[Pair]:
    """Age is exact; the lifetime that is left, in Cache-Status, is that of the second's first request."""
    scheme, age_s = exchange.origin.scheme, int(now - entry.times.born)
    known = entry.ready
    if known is not None and known[0] == age_s and known[1] == scheme:
        return known[2]
    headers = response_headers(whole(entry, now), exchange.safety.routed[scheme])
    entry.ready = (age_s, scheme, headers)
    return headers
