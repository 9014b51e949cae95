"""Events and subscribers, put together for one worker."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from authproxy.changes import Changes
from gateway_project.realtime import Realtime
from gateway_project.server.draining import DrainState
from realtime.hub import current
from routing.compiler import CompileOptions, compile_snapshot
from tests.support.callers import gatekeeper
from tests.support.hubs import TOPIC, Listener, publish
from tests.support.redisserver import RedisServer


def worker(redis_url: str | None, drain: DrainState | None = None) -> Realtime:
    nothing = compile_snapshot({"version": 1}, revision=0, options=CompileOptions())
    identities: Any = SimpleNamespace(gatekeeper=gatekeeper(), changes=Changes())
    config = replace(settings.CONFIG, service_name="here")
    return Realtime(config, redis_url, lambda: nothing, identities, drain or DrainState())


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


async def test_workers_share_events_under_the_installations_name(redis: RedisServer) -> None:
    one, other = worker(redis.url), worker(redis.url)
    await one.start()
    await other.start()
    ada = Listener()
    await other.hub.subscribe(TOPIC, ada)
    await publish(one.hub, 1)
    await ada.until(lambda got: got == [1])
    assert redis.ask("XLEN", "{here:events}") != b":0\r\n"
    await one.stop()
    await other.stop()


async def test_is_the_hub_of_the_process_while_it_runs() -> None:
    alone = worker(None)
    await alone.start()
    assert current.current() is alone.hub
    await alone.stop()
    with pytest.raises(LookupError):
        current.current()


async def test_leaves_when_draining_begins() -> None:
    drain = DrainState()
    alone = worker(None, drain)
    drain.begin()
    assert alone.sessions._is_leaving


async def test_tells_its_numbers() -> None:
    """Of the hub and of its clients."""
    alone = worker(None)
    ada = Listener()
    await alone.hub.subscribe(TOPIC, ada)
    await publish(alone.hub, 1)
    alone.sessions.closed[4408] += 2
    told = alone.stats
    assert {name: told[name] for name in ("published", "delivered", "subscriptions", "slow_readers")} == {
        "published": 1,
        "delivered": 1,
        "subscriptions": 1,
        "slow_readers": 2,
    }
    assert (told["gaps"], told["connections"], told["turned_away"]) == (0, 0, 0)
