"""CraftNudge's analytics: what commits say about habits. It keeps nothing, so that there may be several of it.

python -m examples.craftnudge.analytics --port 8002
With REGISTER=1 it registers itself with the gateway. Analyses come from RabbitMQ (MESSAGE_HUB_URL), or from hub.py.
"""

import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aio_pika
import httpx
from fastapi import FastAPI, Request

from examples.discovery_client import Registration
from examples.faults import answer_faults
from examples.serving import asgi, port, said
from examples.telling import Gateway

TOPIC = "analytics.requested"
EXCHANGE = "torana.events"
HUB = os.environ.get("MESSAGE_HUB_URL", "")
TRACKER = os.environ.get("COMMIT_TRACKER_SERVICE_URL", "http://127.0.0.1:8001")
gateway = Gateway()


@contextlib.asynccontextmanager
async def listening(_: FastAPI) -> AsyncIterator[None]:
    """Takes analyses from RabbitMQ, if that is the hub."""
    if not HUB.startswith("amqp"):
        yield
        return
    async with await aio_pika.connect_robust(HUB) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue("craftnudge.analytics", durable=True)
        await queue.bind(exchange, TOPIC)
        await queue.consume(take)
        yield


async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
    """One event; acknowledged when it is done."""
    async with message.process():
        fields = {name: str(value) for name, value in message.headers.items()}
        await analyse(json.loads(message.body), fields)


app = FastAPI(title="Analytics", version="1.0.0", lifespan=listening)
answer_faults(app)
underway: set[asyncio.Task[None]] = set()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/api/v1/analytics/patterns")
async def patterns(request: Request, scope: str = "") -> dict[str, Any]:
    """What kinds of commits there are, and at what hours."""
    commits = await commits_for(request, scope)
    return {
        "kinds": Counter(commit["kind"] for commit in commits),
        "hours": Counter(commit["tracked_at"][11:13] for commit in commits),
    }


@app.get("/api/v1/analytics/metrics")
async def metrics(request: Request, scope: str = "") -> dict[str, Any]:
    """How productive somebody is, or all are."""
    return measured(await commits_for(request, scope))


@app.get("/api/v1/analytics/trends")
async def trends(request: Request, scope: str = "") -> dict[str, Any]:
    """Commits of each day."""
    days = Counter(commit["tracked_at"][:10] for commit in await commits_for(request, scope))
    return {"trend": [{"day": day, "commits": count} for day, count in sorted(days.items())]}


@app.post("/analyses", status_code=202)
async def asked(event: dict[str, Any]) -> dict[str, str]:
    """From hub.py; no route leads here."""
    task = asyncio.create_task(analyse(event.get("data"), event.get("headers", {})))
    underway.add(task)
    task.add_done_callback(underway.discard)
    return {"status": "accepted"}


async def analyse(wanted: Any, fields: Mapping[str, str]) -> None:
    """Works it out, and tells who has asked, on all screens."""
    result = {"asked": wanted, **measured(await commits_of(fields.get("x-user-name", "")))}
    await gateway.tell("analysis.completed", result, user=fields.get("x-user-id", ""))


def measured(commits: list[dict[str, Any]]) -> dict[str, Any]:
    repositories = {commit["repository"] for commit in commits}
    days = {commit["tracked_at"][:10] for commit in commits}
    return {"commits": len(commits), "active_days": len(days), "repositories": len(repositories)}


async def commits_for(request: Request, scope: str) -> list[dict[str, Any]]:
    """The caller's, or everybody's, which only staff gets to ask."""
    caller = said("analytics", request.method, request.url.path, request.headers) or {}
    return await commits_of("" if scope == "system" else str(caller.get("name", "?")))


async def commits_of(owner: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=TRACKER, timeout=10) as tracker:
        answer = await tracker.get("/commits-of", params={"owner": owner})
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found


def main() -> None:
    if "REGISTER" not in os.environ:
        asgi(app)
        return
    where = {"service_name": "analytics", "host": "127.0.0.1", "port": port(), "check_endpoint": "/health"}
    with Registration(
        os.environ["GATEWAY_URL"], os.environ["GATEWAY_KEY"], {**where, "ttl": 30, "weight": 1}
    ):
        asgi(app)


if __name__ == "__main__":
    main()
