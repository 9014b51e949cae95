"""Connects, says what it is told to, and prints what it hears, to the end of the connection.

python -m examples.websockets.client ws://127.0.0.1:8000/lobby hello bye
TOKEN=… python -m examples.websockets.client ws://127.0.0.1:8000/members --stay
"""

import argparse
import asyncio
import os
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("messages", nargs="*")
    parser.add_argument("--stay", action="store_true", help="until somebody else ends it")
    arguments = parser.parse_args()
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"} if "TOKEN" in os.environ else {}
    try:
        async with connect(arguments.url, additional_headers=headers, proxy=None) as socket:
            with suppress(ConnectionClosed):
                for message in arguments.messages:
                    await socket.send(message)
                    print(await socket.recv(), flush=True)
                if arguments.stay:
                    print("connected", flush=True)
                    await socket.wait_closed()
        print(f"closed with {socket.close_code} {socket.close_reason}".rstrip(), flush=True)
    except InvalidStatus as refused:
        response = refused.response
        print(f"refused with {response.status_code}: {(response.body or b'').decode().strip()}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
