"""D: Which WebSocket handshakes are answered here; any other path is refused before the upgrade."""

import re
from collections.abc import Sequence
from typing import Any

from channels.routing import URLRouter
from django.urls import URLPattern, re_path

from authproxy import problems
from authproxy.exchange import ASGIApp
from realtime.denials import deny

Message = dict[str, Any]


async def refuse_unknown_path(scope: Message, _receive: Any, send: Any) -> None:
    """404 with the error envelope."""
    await deny(scope, send, problems.not_found())


def endpoints(api_prefix: str, endpoint: ASGIApp) -> list[URLPattern]:
    """The patterns of the gateway's own endpoints."""
    path = re.escape(f"{api_prefix}/ws".lstrip("/"))
    return [re_path(f"^{path}/?$", endpoint)]  # type: ignore[arg-type]


def application(patterns: Sequence[URLPattern] = ()) -> Any:
    """Channels' router. What no pattern takes is refused: else it raises, and the server logs a traceback."""
    # Channels' patterns lead to ASGI applications, which the types of Django's do not know.
    anything_else = re_path("", refuse_unknown_path)  # type: ignore[arg-type]
    return URLRouter([*patterns, anything_else])


websocket_application = application()
"""Without any endpoint."""
