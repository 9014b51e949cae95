"""I: Answers of the gateway's own HTTP endpoints here, in the contract's shapes."""

from authproxy import ids, problems
from authproxy.exchange import SCOPE_REQUEST_ID, Scope, Send
from authproxy.headers import Pair
from authproxy.rejections import Rejection
from resilience.clock import http_date, timestamp


async def answer_json(send: Send, status: int, body: bytes, headers: tuple[Pair, ...] = ()) -> None:
    """A whole answer."""
    fields = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"date", http_date()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: Scope, send: Send, rejection: Rejection) -> None:
    """With the error envelope."""
    request_id: bytes = scope.get(SCOPE_REQUEST_ID) or ids.request_id()
    body = problems.envelope(rejection, request_id=request_id.decode(), timestamp=timestamp())
    await answer_json(send, rejection.status, body, tuple(rejection.headers))
