"""CraftNudge's commit tracker: each user's commits, in memory, with their kind, which the gRPC service says.

python -m examples.craftnudge.commit_tracker --port 8001
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from examples.faults import Fault, answer_faults
from examples.serving import asgi, said
from examples.telling import Gateway

app = FastAPI(title="Commit tracker", version="1.0.0")
answer_faults(app)
gateway = Gateway()
kept: dict[str, list[dict[str, Any]]] = {}


def sha1(text: str) -> str:
    """A whole SHA-1, and nothing shorter."""
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        expected = {"expected_format": "40-character SHA-1 hash"}
        raise PydanticCustomError("commit_hash", "Invalid commit hash format", expected)
    return text


class Commit(BaseModel):
    """One to be tracked."""

    commit_hash: Annotated[str, AfterValidator(sha1)]
    message: str = Field("", max_length=10_000)
    repository: str = Field("", max_length=200)


class Batch(BaseModel):
    """Several."""

    commits: list[Commit] = Field(min_length=1, max_length=100)


def calling(request: Request) -> dict[str, str]:
    """Who asks; id is empty for programs."""
    caller = said("commit-tracker", request.method, request.url.path, request.headers) or {}
    return {"owner": str(caller.get("name", "")), "id": str(caller.get("user_id", ""))}


Caller = Annotated[dict[str, str], Depends(calling)]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/v1/commits/track", status_code=201)
async def track(commit: Commit, caller: Caller) -> dict[str, Any]:
    return {"commit": await keep(commit, caller)}


@app.post("/api/v1/commits/batch", status_code=201)
async def batch(batch: Batch, caller: Caller) -> dict[str, Any]:
    return {"commits": [await keep(commit, caller) for commit in batch.commits]}


@app.get("/api/v1/commits")
async def history(caller: Caller, limit: int = 50, offset: int = 0) -> dict[str, Any]:
    """The latest first."""
    mine = kept.get(caller["owner"], [])[::-1]
    return {"commits": mine[offset : offset + limit], "total": len(mine)}


@app.get("/api/v1/commits/{commit_id}")
async def one(commit_id: str, caller: Caller) -> dict[str, Any]:
    for commit in kept.get(caller["owner"], []):
        if commit["commit_hash"] == commit_id:
            return {"commit": commit}
    raise Fault(404, "There is no such commit.", commit_id=commit_id)


@app.get("/commits-of")
async def of(owner: str = "") -> list[dict[str, Any]]:
    """For the analytics service: one owner's, or everybody's. No route leads here."""
    return [commit for name, commits in kept.items() if owner in ("", name) for commit in commits]


async def keep(commit: Commit, caller: dict[str, str]) -> dict[str, Any]:
    """Keeps it, and tells its owner's screens."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {**commit.model_dump(), "kind": await kind_of(commit.message), "tracked_at": now}
    kept.setdefault(caller["owner"], []).append(entry)
    if caller["id"]:
        await gateway.tell("commit.tracked", entry, user=caller["id"])
    return entry


async def kind_of(message: str) -> str:
    """As the gRPC service says it, which is asked through the gateway."""
    try:
        answer = await gateway.http.post("/internal/v1/classify", json={"text": message})
        return str(answer.json()["kind"]) if answer.is_success else "unknown"
    except (httpx.HTTPError, ValueError, KeyError):
        return "unknown"


if __name__ == "__main__":
    asgi(app)
