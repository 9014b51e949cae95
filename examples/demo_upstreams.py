"""Two small HTTP services for the demo: orders (kept in memory) and an echo. Plain ASGI, run by uvicorn.

python examples/demo_upstreams.py orders --port 9101 --name orders-a
"""

import argparse
import json
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def send_json(send: Send, status: int, document: object) -> None:
    body = json.dumps(document, indent=2).encode() + b"\n"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def orders(name: str) -> App:
    """GET /api/orders, POST /api/orders, GET /api/orders/{id}."""
    kept: dict[int, object] = {1: {"id": 1, "item": "lamp"}, 2: {"id": 2, "item": "chair"}}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        number = scope["path"].removeprefix("/api/orders").strip("/")
        if scope["method"] == "POST":
            try:
                item = json.loads(await read_body(receive))["item"]
            except (ValueError, KeyError, TypeError):
                await send_json(send, 400, {"error": 'send JSON such as {"item": "table"}'})
                return
            created = {"id": max(kept) + 1, "item": item}
            kept[max(kept) + 1] = created
            await send_json(send, 201, {"served_by": name, "order": created})
        elif not number:
            await send_json(send, 200, {"served_by": name, "orders": list(kept.values())})
        elif number.isdigit() and int(number) in kept:
            await send_json(send, 200, {"served_by": name, "order": kept[int(number)]})
        else:
            await send_json(send, 404, {"served_by": name, "error": f"no order {number}"})

    return app


def echo(name: str) -> App:
    """Answers with what arrived: method, path, query, header fields and body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        await send_json(
            send,
            200,
            {
                "served_by": name,
                "method": scope["method"],
                "path": scope["raw_path"].decode(),
                "query": scope["query_string"].decode(),
                "headers": [[key.decode(), value.decode("latin-1")] for key, value in scope["headers"]],
                "body": body.decode("utf-8", "replace"),
            },
        )

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["orders", "echo"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    arguments = parser.parse_args()
    make = orders if arguments.kind == "orders" else echo
    uvicorn.run(make(arguments.name), port=arguments.port, lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()
