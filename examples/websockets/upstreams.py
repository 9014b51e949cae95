"""A service that says back what it hears, and who says it.

python -m examples.websockets.upstreams chat --port 8041
"""

import argparse
import asyncio
from contextlib import suppress
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response


async def chat(socket: ServerConnection) -> None:
    """One connection."""
    assert socket.request is not None
    name = socket.request.headers.get("X-User-Name", "anonymous")
    print(f"chat: {name} is here", flush=True)
    with suppress(ConnectionClosed):
        async for message in socket:
            if message == "bye":
                await socket.close(4000, "see you")
            await socket.send(f"{name}: {message!r}" if isinstance(message, bytes) else f"{name}: {message}")
    print(f"chat: {name} left with {socket.close_code}", flush=True)


def refuse(socket: ServerConnection, request: Request) -> Response | None:
    """A room that is full says so before the upgrade."""
    if request.path.endswith("/full"):
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "the room is full\n")
    return None


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["chat"])
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    async with serve(chat, "127.0.0.1", arguments.port, subprotocols=None, process_request=refuse) as server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
