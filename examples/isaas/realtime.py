"""ISaaS's realtime service: HTTP and WebSocket on one path. It keeps what is posted, and tells whoever listens.

python -m examples.isaas.realtime --port 8004
"""

import json
import os
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, WebSocket, WebSocketDisconnect

from examples.isaas.records import owner_of, record_in
from examples.serving import asgi, said

NAME = "realtime"
PATH = os.environ.get("API_V1_PREFIX", "/api/v1") + "/realtime"
app = FastAPI(title="ISaaS realtime", version="1.0.0")
kept: dict[str, list[Any]] = {}
listeners: set[WebSocket] = set()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get(PATH)
async def mine(request: Request) -> dict[str, Any]:
    head = asking(request)
    return {**head, "records": kept.get(owner_of(head), [])}


@app.post(PATH, status_code=201)
async def post(request: Request, record: Annotated[Any, Depends(record_in)]) -> dict[str, Any]:
    """Kept, and told to everybody who listens."""
    head = asking(request)
    kept.setdefault(owner_of(head), []).append(record)
    for each in [*listeners]:
        with suppress(RuntimeError, WebSocketDisconnect):  # who is gone need not be told
            await each.send_text(json.dumps({"posted": record}))
    return {**head, "record": record}


@app.websocket(PATH)
async def talk(socket: WebSocket) -> None:
    """Says who has come, says back what it hears, and what others post."""
    caller = said(NAME, "WebSocket", PATH, socket.headers)
    await socket.accept()
    await socket.send_text(json.dumps({"service": NAME, "listening": (caller or {}).get("consumer")}))
    listeners.add(socket)
    try:
        with suppress(WebSocketDisconnect):
            async for text in socket.iter_text():
                await socket.send_text(json.dumps({"heard": text}))
    finally:
        listeners.discard(socket)


def asking(request: Request) -> dict[str, Any]:
    """What each answer begins with: who asked, as the token says that the gateway signed."""
    caller = said(NAME, request.method, request.url.path, request.headers)
    return {"service": NAME, "path": request.url.path, "caller": caller}


if __name__ == "__main__":
    asgi(app)
