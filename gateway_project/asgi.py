"""D: One ASGI application out of three: the data plane, Django beside it, Channels for built-in WebSockets.

uvicorn with our protocol class serves it in production, daphne in `manage.py runserver`; both get the same composition.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")
_django = get_asgi_application()  # before any model is imported

from django.conf import settings  # noqa: E402

from authproxy.exchange import ASGIApp, Receive, Scope, Send  # noqa: E402
from gateway_project.server.draining import DRAIN_STATE  # noqa: E402
from gateway_project.server.spec import REVISION_VARIABLE, ROLE_VARIABLE  # noqa: E402
from gateway_project.wiring import Gateway, Role  # noqa: E402


class Patient:
    """An application that ends by itself, a little later, when its client leaves.

    The server cancels the request then. Django hears of it by `receive`, stops the view and closes what it opened;
    cancelled from outside it would leave its tasks to nobody.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task: asyncio.Task[None] = asyncio.create_task(self._application(scope, receive, send))  # type: ignore[arg-type]
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be there any more to hear of it


class Composition:
    """The application that servers call. Starts the gateway at lifespan, or at the first request without one."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._starting: asyncio.Task[None] | None = None
        self._is_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            if not self._is_started:
                await self._start()
            await self._gateway.application(scope, receive, send)
        elif kind == "websocket":
            if not self._is_started:
                await self._start()
            await self._gateway.connect(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)

    async def _start(self) -> None:
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._gateway.start())
        await asyncio.shield(self._starting)  # a client that gives up must not take the start with it
        self._is_started = True

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        except asyncio.CancelledError:
            await self._gateway.stop()
            return  # the worker was told to leave while it started, which uvicorn would take for a fault
        with suppress(asyncio.CancelledError):  # just the same
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await self._gateway.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _build() -> Composition:
    role = cast(Role, os.environ.get(ROLE_VARIABLE, "all"))
    revision = os.environ.get(REVISION_VARIABLE)
    gateway = Gateway(
        settings.CONFIG,
        control=Patient(cast(ASGIApp, _django)),
        role=role,
        revision_file=Path(revision) if revision else None,
        drain=DRAIN_STATE,
    )
    return Composition(gateway)


application = _build()
