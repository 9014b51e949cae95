"""I: The public health endpoints: alive, ready, healthy. Needs neither Django nor a database."""

from collections.abc import Callable
from typing import Final

import orjson

from authproxy import problems
from authproxy.exchange import SCOPE_REQUEST_ID, Receive, Scope, Send
from authproxy.rejections import HeaderPairs
from resilience.clock import timestamp

_METHODS: Final = ("GET", "HEAD")


class Health:
    """An ASGI application for `/health`, `/health/live`, `/health/ready` and `{API_PREFIX}/health`.

    `unready` says why no traffic should come now (draining, no configuration), or None.
    """

    def __init__(self, *, version: str, api_prefix: str, unready: Callable[[], str | None]) -> None:
        self._version = version
        self._unready = unready
        self._answers = {
            "/health": self._healthy,
            f"{api_prefix}/health": self._healthy,
            "/health/live": self._live,
            "/health/ready": self._ready,
        }

    def serves(self, path: str) -> bool:
        """Whether this application has an answer for `path`."""
        return path.rstrip("/") in self._answers

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] in _METHODS:
            await self._answers[scope["path"].rstrip("/")](send)
            return
        request_id = scope.get(SCOPE_REQUEST_ID, b"").decode("ascii")
        rejection = problems.method_not_allowed(_METHODS)
        body = problems.envelope(rejection, request_id=request_id, timestamp=timestamp())
        await _send(send, rejection.status, body, extra=rejection.headers)

    async def _healthy(self, send: Send) -> None:
        document = {"status": "healthy", "version": self._version, "timestamp": timestamp()}
        await _send(send, 200, orjson.dumps(document))

    async def _live(self, send: Send) -> None:
        await _send(send, 200, orjson.dumps({"status": "alive", "timestamp": timestamp()}))

    async def _ready(self, send: Send) -> None:
        reason = self._unready()
        if reason is None:
            await _send(send, 200, orjson.dumps({"status": "ready", "timestamp": timestamp()}))
        else:
            document = {"status": "unready", "reason": reason, "timestamp": timestamp()}
            await _send(send, 503, orjson.dumps(document), extra=((b"retry-after", b"1"),))


async def _send(send: Send, status: int, body: bytes, *, extra: HeaderPairs = ()) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
