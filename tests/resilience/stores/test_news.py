"""News between workers over a real Redis: heard when said, and subscribed anew whenever Redis comes back."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway_project.embedded import start_valkey
from resilience.stores.address import address_of
from resilience.stores.breakers import StoreAway
from resilience.stores.connection import RedisLink, Script
from resilience.stores.news import RedisNews, _client_of
from tests.support.breakers import unique_prefix, until
from tests.support.redislink import link_to

ECHO = Script.of("return ARGV[1]")


@asynccontextmanager
async def listening(link: RedisLink, url: str, channel: str) -> AsyncIterator[tuple[RedisNews, list[Any]]]:
    """What was heard, and `up` for each time that nothing will be missed from then on."""
    news, heard = RedisNews(link, url), list[Any]()
    news.subscribe(channel, heard.append)
    news.when_up(lambda: heard.append("up"))
    news.start()
    try:
        yield news, heard
    finally:
        await news.stop()


async def test_what_is_said_after_up_is_heard(redis_url: str) -> None:
    """On the event loop, in order."""
    channel = unique_prefix()
    async with link_to(redis_url) as link, listening(link, redis_url, channel) as (news, heard):
        assert news.is_up
        await until(lambda: heard == ["up"])
        for word in ("a", "b"):
            await link.call("PUBLISH", channel, word)
        await until(lambda: len(heard) == 3)
        assert heard == ["up", b"a", b"b"]
        assert await news.run(ECHO, (), ("hello",)) == b"hello"


async def test_without_redis_a_script_is_refused(redis_url: str) -> None:
    """In the breakers' own words."""
    link = RedisLink(redis_url, rng=Random(1))
    news = RedisNews(link, redis_url)
    assert not news.is_up
    with pytest.raises(StoreAway):
        await news.run(ECHO, (), ("hello",))
    await news.stop()


async def test_it_hears_again_when_redis_is_back() -> None:
    """And says so."""
    folder = Path(tempfile.mkdtemp(prefix="torana-news-"))
    server = start_valkey(folder)
    assert server is not None
    try:
        link = RedisLink(server.url, rng=Random(1))
        await link.start()
        async with listening(link, server.url, "news") as (_, heard):
            await until(lambda: heard == ["up"])
            server.stop()
            await until_away(link)
            server = start_valkey(folder)
            assert server is not None
            await until(lambda: heard == ["up", "up"], 15)
            await link.call("PUBLISH", "news", "a")
            await until(lambda: heard[-1] == b"a")
        await link.stop()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def until_away(link: RedisLink) -> None:
    while link.is_up:
        await link.call("PING")


async def test_a_listener_that_fails_does_not_end_it(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the subscription made anew."""
    channel = unique_prefix()
    async with link_to(redis_url) as link:
        news, heard = RedisNews(link, redis_url), list[Any]()
        news.subscribe(channel, lambda _: 1 / 0)  # type: ignore[arg-type]
        news.when_up(lambda: heard.append("up"))
        news.start()
        await until(lambda: heard == ["up"])
        await link.call("PUBLISH", channel, "a")
        await until(lambda: heard == ["up", "up"])
        await news.stop()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("attempt", [0, 1, 2])
def test_a_cluster_is_heard_at_one_node_after_the_other(attempt: int) -> None:
    """Each repeats what is said anywhere."""
    address = address_of("redis+cluster://ada:secret@127.0.0.1:7001,127.0.0.1:7002?client_name=torana")
    options = _client_of(address, attempt).connection_pool.connection_kwargs
    wanted = {"port": 7001 + attempt % 2, "username": "ada", "password": "secret", "client_name": "torana"}
    assert wanted.items() <= options.items()


def test_sentinel_names_the_server() -> None:
    """With passwords of its own."""
    address = address_of("rediss+sentinel://:secret@127.0.0.1:26379/main/3?sentinel_password=other")
    pool = _client_of(address, 0).connection_pool
    assert pool.service_name == "main"  # type: ignore[attr-defined]
    assert {"password": "secret", "db": 3}.items() <= pool.connection_kwargs.items()
    sentinels = pool.sentinel_manager.sentinels  # type: ignore[attr-defined]
    assert sentinels[0].connection_pool.connection_kwargs["password"] == "other"
