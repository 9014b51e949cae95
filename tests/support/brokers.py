"""I: The message brokers that tests need beside Redis: RabbitMQ and NATS, where they usually listen on this machine."""

import os
import socket
from collections.abc import Mapping
from functools import cache
from typing import Final
from urllib.parse import urlsplit

URLS: Final[Mapping[str, str]] = {
    "rabbitmq": os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/"),
    "nats": os.environ.get("TEST_NATS_URL", "nats://127.0.0.1:4222"),
}


@cache
def is_there(name: str) -> bool:
    """Whether somebody listens."""
    parts = urlsplit(URLS[name])
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


def missing() -> list[str]:
    """The names of those that do not listen."""
    return [name for name in URLS if not is_there(name)]
