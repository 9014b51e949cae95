"""I: The public health endpoints: alive, ready, healthy. Needs neither Django nor a database."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from authproxy.exchange import Receive, Scope, Send
from resilience.clock import timestamp

_METHODS: Final = ("GET", "HEAD")


class Health:
    """An ASGI application for `/health`, `/health/live`, `/health/ready` and `{API_PREFIX}/health`.

    `unready` says why no traffic should come now (draining, no configuration), or None.
    """

    def __init__(self, *, version: str, unready: Callable[[], str | None]) -> None:
        self._version = version
        self._unready = unready

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in _METHODS:
            await _send(send, 405, {"detail": "GET or HEAD"}, extra=[(b"allow", b"GET, HEAD")])
            return
        path = scope["path"].rstrip("/")
        if path.endswith("/live"):
            await _send(send, 200, {"status": "alive", "timestamp": timestamp()})
        elif path.endswith("/ready"):
            await self._ready(send)
        else:
            document = {"status": "healthy", "version": self._version, "timestamp": timestamp()}
            await _send(send, 200, document)

    async def _ready(self, send: Send) -> None:
        reason = self._unready()
        if reason is None:
            await _send(send, 200, {"status": "ready", "timestamp": timestamp()})
        else:
            document = {"status": "unready", "reason": reason, "timestamp": timestamp()}
            await _send(send, 503, document, extra=[(b"retry-after", b"1")])


async def _send(
    send: Send, status: int, document: dict[str, Any], *, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = orjson.dumps(document)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
        *(extra or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
