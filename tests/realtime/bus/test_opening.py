"""Which adapter a URL wants."""

from importlib import util
from typing import Any

import pytest

from realtime.bus import opening
from realtime.bus.opening import adapter_for, missing_library


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("amqp://h", "AmqpHub"),
        ("amqps://h", "AmqpHub"),
        ("nats://h", "NatsHub"),
        ("tls://h", "NatsHub"),
        ("http://h", "HttpHub"),
        ("https://h", "HttpHub"),
    ],
)
async def test_each_scheme_has_one(url: str, name: str) -> None:
    """Nothing is connected yet."""
    adapter = adapter_for(url)
    assert type(adapter).__name__ == name
    assert missing_library(url) == ""
    await adapter.close()


async def test_redis_has_one() -> None:
    for url in ("redis://h", "rediss://h"):
        adapter = adapter_for(url)
        assert type(adapter).__name__ == "RedisHub"
        await adapter.close()


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to get it."""

    def find(name: str) -> Any:
        return None if name == "aio_pika" else util.find_spec(name)

    monkeypatch.setattr(opening, "find_spec", find)
    assert missing_library("amqps://u:hunter2@h") == (
        "amqps:// needs the library aio_pika; install torana[amqp], or requirements.lock, which has it"
    )
    assert missing_library("nats://h") == ""
