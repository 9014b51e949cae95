"""Verdicts over a real Redis: heard at once, remembered for later, forgotten when nobody needs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from resilience.health import Standing
from resilience.stores.breakers import StoreAway
from resilience.stores.news import RedisNews
from resilience.stores.verdicts import MOST_AT_ONCE, SharedVerdicts
from resilience.verdicts import Verdict
from tests.support.breakers import unique_prefix
from tests.support.redislink import link_to
from tests.support.redisserver import RedisServer

STANDING = Standing(True, 1.0, 2, True, "", 200, 0.001, 3.0)


@asynccontextmanager
async def sharing(
    url: str, prefix: str
) -> "AsyncIterator[tuple[SharedVerdicts, asyncio.Queue[list[Verdict]]]]":
    """Connected, and listening."""
    news: asyncio.Queue[list[Verdict]] = asyncio.Queue()
    up = asyncio.Event()
    async with link_to(url) as link:
        shared = SharedVerdicts(RedisNews(link, url), prefix=prefix)
        shared.listen(news.put_nowait, up.set)
        await up.wait()
        assert shared.is_up
        yield shared, news
        await shared.stop()


async def test_what_is_told_is_heard_and_remembered(redis_url: str) -> None:
    """By others and by oneself; the latest of each target."""
    prefix = unique_prefix()
    async with sharing(redis_url, prefix) as (one, heard), sharing(redis_url, prefix) as (two, also):
        for name in ("a", "b"):
            await one.tell([Verdict("shop", name, "one", STANDING)])
        later = Verdict("shop", "a", "two", STANDING._replace(healthy=False))
        await two.tell([later])
        for news in (heard, also):
            assert [[each.target for each in await news.get()] for _ in range(3)] == [["a"], ["b"], ["a"]]
        remembered = {each.target: each for each in await one.remembered()}

        assert remembered == {"a": later, "b": Verdict("shop", "b", "one", STANDING)}
        await two.forget(["shop a", "shop never"])
        assert [each.target for each in await one.remembered()] == ["b"]


async def test_thousands_go_in_several_calls(redis_url: str) -> None:
    """So that no call takes long, and none is lost."""
    number = 2 * MOST_AT_ONCE + 10
    verdicts = [Verdict("shop", f"http://{each}", "one", STANDING) for each in range(number)]
    async with sharing(redis_url, unique_prefix()) as (shared, heard):
        await shared.tell(verdicts)
        assert [len(await heard.get()) for _ in range(3)] == [MOST_AT_ONCE, MOST_AT_ONCE, 10]
        assert sorted(await shared.remembered()) == sorted(verdicts)
        await shared.forget(each.field for each in verdicts)
        assert await shared.remembered() == []


async def test_nothing_said_costs_nothing(tmp_path: Path) -> None:
    """Nor does it need a store; anything else says that there is none."""
    with RedisServer(tmp_path) as server:
        async with sharing(server.url, "") as (shared, _):
            server.stop()
            await shared.tell([])
            await shared.forget([])
            with pytest.raises(StoreAway):
                await shared.remembered()
            with pytest.raises(StoreAway):
                await shared.tell([Verdict("shop", "a", "one", STANDING)])
