"""I: Which adapter a MESSAGE_HUB_URL wants. Libraries are imported here only: who has no hub needs none."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, cast
from urllib.parse import urlsplit

from realtime.bus.adapter import Adapter

_KINDS: Final = {
    "amqp": ("realtime.bus.amqp", "AmqpHub"),
    "nats": ("realtime.bus.natshub", "NatsHub"),
    "redis": ("realtime.bus.redisstreams", "RedisHub"),
    "http": ("realtime.bus.httphub", "HttpHub"),
}
_NEEDS: Final = {"amqp": ("aio_pika", "amqp"), "nats": ("nats", "nats")}
_SECURE: Final = {"amqps": "amqp", "tls": "nats", "rediss": "redis", "https": "http"}


def missing_library(url: str) -> str:
    """What the URL's scheme needs and is not installed, and how to get it; empty if nothing is missing."""
    scheme = urlsplit(url).scheme
    library, extra = _NEEDS.get(_SECURE.get(scheme, scheme), ("", ""))
    if not library or find_spec(library) is not None:
        return ""
    return f"{scheme}:// needs the library {library}; install torana[{extra}], or requirements.lock, which has it"


def adapter_for(url: str) -> Adapter:
    """For a URL that the settings accepted; nothing is connected yet. Raises ImportError where a library is missing."""
    scheme = urlsplit(url).scheme
    module, name = _KINDS[_SECURE.get(scheme, scheme)]
    made: Any = getattr(import_module(module), name)
    return cast("Adapter", made(url))
