"""CraftNudge's notifications: kept in memory, and told at once to all screens of one user, through the gateway.

python -m examples.craftnudge.notifications --port 8003
"""

from collections import defaultdict
from itertools import count
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from examples.faults import Fault, answer_faults
from examples.serving import asgi, said
from examples.telling import Gateway

app = FastAPI(title="Notifications", version="1.0.0")
answer_faults(app)
gateway = Gateway()
numbers = count(1)
kept: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
"""By the id of the user."""
preferences: defaultdict[str, dict[str, Any]] = defaultdict(lambda: Preferences().model_dump())


class Told(BaseModel):
    """A body; a key that nobody knows is refused, as a mistyped one would change nothing."""

    model_config = ConfigDict(extra="forbid")


class Notification(Told):
    """For oneself; programs name the user whom it is for."""

    text: str = Field(min_length=1, max_length=1000)
    kind: Literal["nudge", "praise", "report"] = "nudge"
    user: str = ""


class Preferences(Told):
    """Which kinds are told at once; others wait to be read."""

    live: bool = True
    kinds: list[Literal["nudge", "praise", "report"]] = ["nudge", "praise", "report"]


def calling(request: Request) -> dict[str, Any]:
    return said("notifications", request.method, request.url.path, request.headers) or {}


Caller = Annotated[dict[str, Any], Depends(calling)]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/api/v1/notifications")
async def unread(caller: Caller) -> dict[str, Any]:
    """Those that were not listed before."""
    new = [each for each in kept[caller["user_id"]] if not each["read"]]
    shown = [{**each} for each in new]
    for each in new:
        each["read"] = True
    return {"notifications": shown}


@app.get("/api/v1/notifications/history")
async def history(caller: Caller) -> dict[str, Any]:
    """All, the latest first."""
    return {"history": kept[caller["user_id"]][::-1]}


@app.put("/api/v1/notifications/preferences")
async def prefer(wanted: Preferences, caller: Caller) -> dict[str, Any]:
    preferences[caller["user_id"]] = wanted.model_dump()
    return {"preferences": preferences[caller["user_id"]]}


@app.post("/api/v1/notifications/send", status_code=201)
async def send(wanted: Notification, caller: Caller) -> dict[str, Any]:
    user = wanted.user or caller.get("user_id", "")
    if caller.get("method") != "api_key" and user != caller.get("user_id"):
        raise Fault(403, "Only programs notify somebody else.", user=user)
    entry = {"id": next(numbers), "kind": wanted.kind, "text": wanted.text, "read": False}
    kept[user].append(entry)
    likes = preferences[user]
    is_told = likes["live"] and wanted.kind in likes["kinds"]
    return {"notification": entry, "told": is_told and await gateway.tell(wanted.kind, entry, user=user)}


if __name__ == "__main__":
    asgi(app)
