"""I: Whether the server of MESSAGE_HUB_URL takes connections. Nothing is said to it."""

import asyncio
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from observability.components import Check, Seen

_PORTS: Final = {
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "tls": 4222,
    "redis": 6379,
    "rediss": 6379,
    "http": 80,
    "https": 443,
}


def bus_check(url: str) -> Check:
    """For a URL that the settings accepted."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]

    async def check() -> Seen:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            return Seen("cannot be reached")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return Seen()

    return check
