"""Connects, says what it is told to, and prints what it hears.

python -m examples.websockets.client ws://127.0.0.1:8000/lobby hello bye
TOKEN=… python -m examples.websockets.client ws://127.0.0.1:8000/members --stay
TOKEN=… python -m examples.websockets.client ws://127.0.0.1:8000/api/v1/ws '{"type": "ping"}' --until pong
"""

import argparse
import asyncio
import os
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def talk(socket: ClientConnection, arguments: argparse.Namespace) -> None:
    """An answer is awaited for each message, unless it is to listen on."""
    listens = arguments.stay or arguments.until
    for message in arguments.messages:
        await socket.send(message)
        if not listens:
            print(await socket.recv(), flush=True)
    if arguments.stay:
        print("connected", flush=True)
    while listens:
        heard = str(await socket.recv())
        print(heard, flush=True)
        listens = not arguments.until or arguments.until not in heard


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("messages", nargs="*")
    parser.add_argument("--stay", action="store_true", help="listens until somebody else ends it")
    parser.add_argument("--until", metavar="TEXT", help="listens until it has heard this")
    arguments = parser.parse_args()
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"} if "TOKEN" in os.environ else {}
    try:
        async with connect(arguments.url, additional_headers=headers, proxy=None) as socket:
            with suppress(ConnectionClosed):
                await talk(socket, arguments)
        print(f"closed with {socket.close_code} {socket.close_reason}".rstrip(), flush=True)
    except InvalidStatus as refused:
        response = refused.response
        print(f"refused with {response.status_code}: {(response.body or b'').decode().strip()}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
