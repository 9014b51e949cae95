"""Phoenix's chat service: messages with their history, and avatars. Everything is kept in memory.

python -m examples.phoenix.chat --port 8000
"""

import os
from contextlib import suppress
from typing import Annotated, Any

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, Query, Request
from pydantic import BaseModel, Field

from examples.serving import asgi, said

NAME = "chat"
KEY = os.environ.get("GATEWAY_KEY", "")
EVENTS = os.environ.get("GATEWAY_URL", "") + os.environ.get("API_PREFIX", "/api/v1") + "/events"
app = FastAPI(title="Phoenix chat", version="1.0.0")
histories: dict[str, list[dict[str, str]]] = {}
avatars: dict[str, str] = {}


class Message(BaseModel):
    """What somebody says."""

    message: str = Field(min_length=1, max_length=4000)


class Avatar(BaseModel):
    """What an avatar is to look like."""

    style: str = "robot"


def asking(request: Request) -> dict[str, Any]:
    """What each answer begins with: who asked, as the gateway said."""
    return {"service": NAME, "caller": said(NAME, request.method, request.url.path, request.headers)}


Asking = Annotated[dict[str, Any], Depends(asking)]


def owner(head: dict[str, Any]) -> str:
    return str((head["caller"] or {}).get("consumer", ""))


def tell(caller: dict[str, Any] | None, entry: dict[str, str]) -> None:
    """Publishes what was said as an event for its author, by the gateway; without a key for that, nobody is told."""
    if not (caller and KEY):
        return
    event = {"user": caller["user_id"], "type": "chat.message", "data": entry}
    with suppress(httpx.HTTPError):  # a window that missed it reads the history
        httpx.post(EVENTS, json=event, headers={"X-API-Key": KEY}, timeout=5)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/chat/message")
def say(message: Message, head: Asking, later: BackgroundTasks) -> dict[str, Any]:
    """Answers, remembers both, and tells the caller's other windows."""
    entry = {"message": message.message, "reply": f"You said: {message.message}"}
    histories.setdefault(owner(head), []).append(entry)
    later.add_task(tell, head["caller"], entry)
    return {**head, **entry}


@app.get("/api/chat/history")
def history(
    head: Asking,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """A page of what was said, oldest first."""
    mine = histories.get(owner(head), [])
    page = mine[offset : offset + limit]
    return {**head, "total": len(mine), "offset": offset, "limit": limit, "history": page}


@app.get("/api/chat/avatar")
def avatar(head: Asking) -> dict[str, Any]:
    """The caller's avatar, if there is one."""
    return {**head, "avatar": avatars.get(owner(head), "none yet")}


@app.post("/api/chat/avatar", status_code=201)
def draw(head: Asking, wanted: Avatar | None = None) -> dict[str, Any]:
    """A new one for the caller."""
    style = (wanted or Avatar()).style
    avatars[owner(head)] = f"{style} of {owner(head)}"
    return {**head, "avatar": avatars[owner(head)]}


if __name__ == "__main__":
    asgi(app)
