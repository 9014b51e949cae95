"""ISaaS's realtime service: HTTP and WebSocket on one port. It keeps what is posted, and tells whoever listens.

python -m examples.isaas.upstreams realtime --port 8004
"""

import argparse
import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from email.message import Message
from typing import Any

import uvicorn

from examples.upstream import Request, Service, caller_of

NAME = "realtime"


class Realtime:
    """An ASGI application. `records` answers its HTTP requests."""

    def __init__(self, records: Service) -> None:
        self._records = records
        self._listeners: set[Any] = set()

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        caller = caller_of(_fields(scope), NAME)
        if scope["type"] == "websocket":
            await self._talk(caller, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, caller, receive, send)

    async def _talk(self, caller: dict[str, Any] | None, receive: Any, send: Any) -> None:
        """Says who has come, says back what it hears, and what others post."""
        await receive()
        await send({"type": "websocket.accept"})
        print(f"{NAME}: WebSocket from {json.dumps(caller)}", flush=True)
        await _say(send, {"service": NAME, "listening": (caller or {}).get("consumer")})
        self._listeners.add(send)
        try:
            while (message := await receive())["type"] == "websocket.receive":
                await _say(send, {"heard": message.get("text")})
        finally:
            self._listeners.discard(send)

    async def _answer(
        self, scope: Mapping[str, Any], caller: dict[str, Any] | None, receive: Any, send: Any
    ) -> None:
        raw = b""
        while True:
            part = await receive()
            raw += part.get("body", b"")
            if not part.get("more_body"):
                break
        body = None
        with suppress(ValueError):
            body = json.loads(raw)
        request = Request(scope["method"], scope["path"], {}, body, caller, "", {}, raw)
        status, document = self._records(request)
        if status == 201:
            await asyncio.gather(*(_say(each, {"posted": body}) for each in self._listeners))
        data = json.dumps(document).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})


async def _say(send: Any, what: dict[str, Any]) -> None:
    with suppress(Exception):  # who is gone need not be told
        await send({"type": "websocket.send", "text": json.dumps(what)})


def _fields(scope: Mapping[str, Any]) -> Message:
    """The header fields, by names in any case."""
    found = Message()
    for name, value in scope.get("headers", ()):
        found[name.decode("latin-1")] = value.decode("latin-1")
    return found


def serve(records: Service) -> None:
    """Until it is ended: NAME --port PORT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=[NAME])
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(Realtime(records), port=port, lifespan="off", log_level="warning")
