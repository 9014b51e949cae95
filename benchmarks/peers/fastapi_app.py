"""D: A reverse proxy as one would write it by hand with FastAPI and stock httpx; it streams both ways, as a
gateway must."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from benchmarks.peers.forwarding import end_to_end

_UPSTREAM = os.environ["UPSTREAM"]


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    # Stock limits would close connections at 32 and above, and between turns; every peer keeps its own open.
    limits = httpx.Limits(max_connections=1024, max_keepalive_connections=1024, keepalive_expiry=600)
    async with httpx.AsyncClient(timeout=30, limits=limits, trust_env=False) as client:
        application.state.client = client
        yield


app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def proxy(request: Request, path: str) -> StreamingResponse:
    client: httpx.AsyncClient = request.app.state.client
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    forwarded = client.build_request(
        request.method,
        f"{_UPSTREAM}/{path}",
        params=request.url.query or None,
        headers=end_to_end(request.headers.items()),
        content=request.stream() if has_body else None,
    )
    answer = await client.send(forwarded, stream=True)
    return StreamingResponse(
        answer.aiter_raw(),
        answer.status_code,
        headers=dict(end_to_end(answer.headers.items())),
        background=BackgroundTask(answer.aclose),
    )
