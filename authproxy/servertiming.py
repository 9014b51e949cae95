"""I: `Server-Timing` on every answer, under DEBUG: where its time went, for tools of browsers (W3C Server Timing)."""

from collections.abc import Coroutine
from typing import Any

from authproxy.exchange import Exchange, Message
from resilience.clock import monotonic


def tell(exchange: Exchange) -> None:
    """Makes this exchange's answer say it."""
    send = exchange.send

    def send_timed(message: Message) -> Coroutine[Any, Any, None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"server-timing", spent(exchange, monotonic()))]
        return send(message)

    exchange.send = send_timed


def spent(exchange: Exchange, now_s: float) -> bytes:
    """What its steps took until now, in milliseconds: all of it, and those that it came to.

    `admission` is who calls, limits and checks; `queue` the wait for a place; `upstream` up to the head of the answer,
    `connect` of which was spent on opening connections.
    """
    moments = [exchange.started, exchange.admitted, exchange.forwarded, exchange.answered]
    parts = [("total", now_s - exchange.started)]
    for name, began, ended in zip(("admission", "queue", "upstream"), moments, moments[1:], strict=False):
        if not ended:
            break
        parts.append((name, ended - began))
    if exchange.connecting_s:
        parts.append(("connect", exchange.connecting_s))
    return ", ".join(f"{name};dur={1000 * taken_s:.1f}" for name, taken_s in parts).encode()
