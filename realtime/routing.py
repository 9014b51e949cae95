"""D: Which WebSocket handshakes are answered here; any other path is refused before the upgrade."""

from typing import Any

from channels.routing import URLRouter
from django.urls import URLPattern, re_path

from authproxy import ids, problems
from authproxy.handshake import DENIAL_EXTENSION
from resilience.clock import timestamp

Message = dict[str, Any]


async def refuse_unknown_path(scope: Message, receive: Any, send: Any) -> None:
    """404 with the error envelope; servers without the denial extension answer a plain 403 (ASGI, WebSocket)."""
    if (await receive())["type"] != "websocket.connect":
        return
    if DENIAL_EXTENSION not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    rejection, request_id = problems.not_found(), ids.request_id()
    body = problems.envelope(rejection, request_id=request_id.decode(), timestamp=timestamp())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id),
    ]
    await send({"type": f"{DENIAL_EXTENSION}.start", "status": rejection.status, "headers": headers})
    await send({"type": f"{DENIAL_EXTENSION}.body", "body": body})


websocket_urlpatterns: list[URLPattern] = []

# Takes what is left: without it URLRouter raises, and the server logs a traceback. (Channels' patterns lead to
# ASGI applications, which the types of Django's do not know.)
_anything_else = re_path("", refuse_unknown_path)  # type: ignore[arg-type]
websocket_application = URLRouter([*websocket_urlpatterns, _anything_else])
