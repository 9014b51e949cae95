"""ASGI applications for worker processes, named by `tests.support.hosted:…`."""

import asyncio
import os
from pathlib import Path
from typing import Any

from tests.support.wire import Application, answer


async def _tell(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """The process's number and role, after as many seconds as the query says."""
    if scope["query_string"]:
        os.write(2, b"asked to wait\n")
        await asyncio.sleep(float(scope["query_string"]))
    await answer(send, f"{os.getpid()} {os.environ['TORANA_ROLE']}".encode())


application = Application(_tell)


async def refusing(_scope: Any, receive: Any, send: Any) -> None:
    """Its startup fails."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is on holiday"})


async def reluctant(scope: Any, receive: Any, send: Any) -> None:
    """Starts once, as long as the file named by ONCE is not there; then never again."""
    if scope["type"] == "lifespan" and Path(os.environ["ONCE"]).exists():
        await refusing(scope, receive, send)
        return
    Path(os.environ["ONCE"]).touch()
    await application(scope, receive, send)


async def endless(_scope: Any, _receive: Any, _send: Any) -> None:
    """Its startup never ends."""
    os.write(2, b"its startup has begun\n")
    await asyncio.Event().wait()
