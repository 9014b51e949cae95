"""P: Event loops to run a test on: those that the gateway may run on in production and in development."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop

BOTH: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}
PLAIN: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.SelectorEventLoop}
