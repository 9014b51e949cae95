"""I: Handshakes that are refused, with the error envelope, before the upgrade (ASGI: Websocket Denial Response)."""

from collections.abc import Mapping
from typing import Any

from authproxy import ids, problems
from authproxy.exchange import SCOPE_REQUEST_ID, Send
from authproxy.handshake import DENIAL_EXTENSION
from authproxy.rejections import Rejection
from resilience.clock import timestamp


async def deny(scope: Mapping[str, Any], send: Send, rejection: Rejection) -> None:
    """Servers without the extension answer a plain 403."""
    if DENIAL_EXTENSION not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    request_id = scope.get(SCOPE_REQUEST_ID) or ids.request_id()
    body = problems.envelope(rejection, request_id=request_id.decode(), timestamp=timestamp())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id),
        *rejection.headers,
    ]
    await send({"type": f"{DENIAL_EXTENSION}.start", "status": rejection.status, "headers": headers})
    await send({"type": f"{DENIAL_EXTENSION}.body", "body": body})
