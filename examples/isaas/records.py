"""ISaaS's context, intent and prediction services, which keep records in memory, each under its own prefix.

python -m examples.isaas.records context --port 8001
"""

import json
import os
import sys
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

from examples.serving import asgi, said

PREFIX = os.environ.get("API_V1_PREFIX", "/api/v1")
PATHS = {"context": "context", "intent": "intent", "prediction": "predict"}


def service(name: str) -> FastAPI:
    """GET lists the caller's records, POST adds one, …/admin counts everybody's."""
    app = FastAPI(title=f"ISaaS {name}", version="1.0.0")
    below = APIRouter(prefix=f"{PREFIX}/{PATHS[name]}")
    kept: dict[str, list[Any]] = {}

    def asking(request: Request) -> dict[str, Any]:
        caller = said(name, request.method, request.url.path, request.headers)
        return {"service": name, "path": request.url.path, "caller": caller}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "healthy"}

    @below.api_route("/admin", methods=["GET", "POST"])
    def count(head: Annotated[dict[str, Any], Depends(asking)]) -> dict[str, Any]:
        return {**head, "records": {owner: len(items) for owner, items in kept.items()}}

    @below.get("")
    @below.get("/{_rest:path}")
    def mine(head: Annotated[dict[str, Any], Depends(asking)]) -> dict[str, Any]:
        return {**head, "records": kept.get(owner_of(head), [])}

    @below.post("", status_code=201)
    @below.post("/{_rest:path}", status_code=201)
    def add(
        head: Annotated[dict[str, Any], Depends(asking)], record: Annotated[Any, Depends(record_in)]
    ) -> dict[str, Any]:
        kept.setdefault(owner_of(head), []).append(record)
        return {**head, "record": record}

    app.include_router(below)
    return app


async def record_in(request: Request) -> Any:
    """The body as JSON, whatever the client says that it is."""
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise HTTPException(400, "send JSON") from error


def owner_of(head: dict[str, Any]) -> str:
    caller = head["caller"] or {}
    return str(caller.get("consumer") or caller.get("sub") or "nobody")


if __name__ == "__main__":
    asgi(service(sys.argv.pop(1)))
