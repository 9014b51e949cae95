"""The response cache of one worker, put together."""

from random import Random
from typing import Any

from gateway_project.answercache import AnswerCache
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of


def made(**options: Any) -> AnswerCache:
    return AnswerCache(**{"name": "test", "redis_url": None, "rng": Random(1), "log": None, **options})


async def test_without_redis_and_database_it_caches_for_itself() -> None:
    """From the start, and nothing is to be waited for."""
    made_cache = made()
    await made_cache.start()
    assert made_cache.cache._knows_purges
    assert made_cache.cache._store is None
    await made_cache.stop()


async def test_redis_is_left_alone_where_no_route_caches() -> None:
    """Until one does."""
    answers = made(redis_url="redis://127.0.0.1:1")
    plain = document(route(service="s"), services={"s": "http://h.test"})
    caching = document(route(service="s", cache={}), services={"s": "http://h.test"})
    told = []
    for raw in (plain, caching, plain):
        answers.reconcile(snapshot_of(raw))
        told.append(answers.cache.is_used)

    assert told == [False, True, False]
    assert answers.cache._store is not None


async def test_redis_that_is_away_stops_nobody(caplog: Any) -> None:
    """It is said once, in words of its own."""
    answers = made(redis_url="redis://127.0.0.1:1")
    await answers.start()
    assert "each worker caches answers for itself" in caplog.text
    await answers.stop()
