"""I: The public health endpoints: alive, ready, healthy. Needs neither Django nor a database."""

from collections.abc import Callable
from typing import Final

import orjson

from authproxy import problems
from authproxy.credentials import METHODS
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_REQUEST_ID, Receive, Scope, Send
from authproxy.rejections import HeaderPairs, Rejection
from resilience.clock import timestamp

READ_METHODS: Final = ("GET", "HEAD")
_NOT_VALID: Final = frozenset({"invalid", "expired"})


class Health:
    """An ASGI application for `/health`, `/health/live`, `/health/ready` and `{API_PREFIX}/health`.

    `unready` says why no traffic should come now (draining, no configuration), or None. The one below the prefix
    answers 401 to credentials that are not valid, so that clients can try whether the gateway is there and whether
    theirs count; `realm` is what it is called then.
    """

    def __init__(
        self, *, version: str, api_prefix: str, unready: Callable[[], str | None], realm: str = "torana"
    ) -> None:
        self._trying = f"{api_prefix}/health"
        self._realm = realm
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
        path = scope["path"].rstrip("/")
        rejection = self._refusal(scope, path)
        if rejection is None:
            await self._answers[path](send)
            return
        await send_refusal(send, scope, rejection)

    def _refusal(self, scope: Scope, path: str) -> Rejection | None:
        if scope["method"] not in READ_METHODS:
            return problems.method_not_allowed(READ_METHODS)
        failure = scope.get(SCOPE_AUTH_FAILURE, "")
        if path == self._trying and failure in _NOT_VALID:
            return problems.unauthenticated(failure, methods=METHODS, realm=self._realm)
        return None

    async def _healthy(self, send: Send) -> None:
        document = {"status": "healthy", "version": self._version, "timestamp": timestamp()}
        await send_json(send, 200, orjson.dumps(document))

    async def _live(self, send: Send) -> None:
        await send_json(send, 200, orjson.dumps({"status": "alive", "timestamp": timestamp()}))

    async def _ready(self, send: Send) -> None:
        reason = self._unready()
        if reason is None:
            await send_json(send, 200, orjson.dumps({"status": "ready", "timestamp": timestamp()}))
        else:
            document = {"status": "unready", "reason": reason, "timestamp": timestamp()}
            await send_json(send, 503, orjson.dumps(document), extra=((b"retry-after", b"1"),))


async def send_refusal(send: Send, scope: Scope, rejection: Rejection) -> None:
    """The error envelope, as routes answer it."""
    request_id = scope.get(SCOPE_REQUEST_ID, b"").decode("ascii")
    body = problems.envelope(rejection, request_id=request_id, timestamp=timestamp())
    await send_json(send, rejection.status, body, extra=rejection.headers)


async def send_json(send: Send, status: int, body: bytes, *, extra: HeaderPairs = ()) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
