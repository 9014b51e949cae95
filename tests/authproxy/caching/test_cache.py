"""The cache of one worker: its memory, Redis behind it, and what operators purge."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from authproxy.caching.cache import Cache, public_of
from authproxy.caching.entry import Entry
from authproxy.caching.freshness import Times
from authproxy.caching.keys import Key
from authproxy.caching.purges import Purge
from authproxy.caching.shared import SharedStore, Sighting
from tests.support.fetching import until
from tests.support.redislink import link_to

URL = ("http", b"h", b"/x", b"")
MINE = Key(b"c", ("ada",), URL)
ACCEPT = ((b"accept", b"a"),)


def entry(*, number: int = 0, tags: tuple[str, ...] = (), body: bytes = b"hello") -> Entry:
    return Entry(200, [(b"etag", b'"a"')], body, Times(0.0, 60.0), route="r", tags=tags, number=number)


def keep(
    cache: Cache, kept: Entry, key: Key = MINE, names: tuple[bytes, ...] = (), epoch: bytes | None = None
) -> None:
    cache.keep(cache.open(URL), key, kept, names, (ACCEPT,), epoch=epoch, now=0.0)


def test_own_answers_come_before_everybodys() -> None:
    """And everybody's only where there is none."""
    cache = Cache()
    keep(cache, entry(body=b"all"), public_of(MINE))
    everybodys = cache.find(MINE, ACCEPT)
    keep(cache, entry(body=b"mine"))
    own = cache.find(MINE, ACCEPT)

    assert isinstance(everybodys, Entry)
    assert isinstance(own, Entry)
    assert (everybodys.body, own.body) == (b"all", b"mine")
    assert public_of(MINE).owner != MINE.owner


def test_a_purge_ends_what_is_stored_and_what_is_on_its_way() -> None:
    """By route, tag, URL, or all; not what is asked for later."""
    for purge in (Purge(1, "route", "r"), Purge(1, "tag", "t"), Purge(1, "url", "/x"), Purge(1, "all")):
        cache = Cache()
        opened = cache.open(URL)
        keep(cache, entry(tags=("t",)))
        cache.purge([purge])
        assert cache.memory.find(MINE) is None
        cache.keep(opened, MINE, entry(number=opened.number, tags=("t",)), (), (), epoch=None, now=0.0)
        assert cache.memory.find(MINE) is None
        later = cache.open(URL)
        cache.keep(later, MINE, entry(number=later.number, tags=("t",)), (), (), epoch=None, now=0.0)
        assert cache.memory.find(MINE) is not None


async def test_what_is_invalidated_while_redis_is_asked_is_not_found() -> None:
    """Whoever changed the URL would be given its old answer."""

    class Slow(SharedStore):
        """Redis has the old answer, and says so after the change."""

        def __init__(self) -> None:
            self.asked = asyncio.Event()

        async def find(self, *_asked: object) -> Sighting:
            self.asked.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return Sighting(b"", [entry(), None])

        async def invalidate(self, *_urls: object) -> None: ...

    store = Slow()
    cache = Cache(store=store)
    fetching = asyncio.create_task(cache.fetch(MINE, ACCEPT))
    await store.asked.wait()
    await cache.invalidate(URL)

    assert await fetching == (None, None)
    assert cache.find(MINE, ACCEPT) is None
    assert (await cache.fetch(MINE, ACCEPT)).entry is not None


async def test_what_is_done_beside_is_bounded_and_ends_with_the_worker() -> None:
    """Nobody waits for it; errors are told to the log."""
    cache = Cache()
    accepted = [cache.beside(asyncio.sleep(3600)) for _ in range(70)]
    await cache.stop()

    assert accepted.count(True) == 64


@asynccontextmanager
async def workers(url: str) -> AsyncIterator[list[Cache]]:
    prefix = f"test-{uuid4().hex}"
    async with link_to(url) as one, link_to(url) as other:
        caches = [Cache(store=SharedStore(link, prefix=prefix)) for link in (one, other)]
        for cache in caches:
            cache.start()
        await until(lambda: all(cache._hearing for cache in caches))
        await asyncio.sleep(0.05)
        try:
            yield caches
        finally:
            for cache in caches:
                await cache.stop()
            names = await one.call("KEYS", f"{{{prefix}*")
            if names:
                await one.call("DEL", *names)


async def fetched(cache: Cache) -> bytes | None:
    found = (await cache.fetch(MINE, ACCEPT)).entry
    return found.body if isinstance(found, Entry) else None


async def until_fetched(cache: Cache, body: bytes) -> None:
    async with asyncio.timeout(5):
        for _ in range(500):
            if await fetched(cache) == body:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(body)


@pytest.mark.store
@pytest.mark.parametrize("names", [(), (b"accept",)])
async def test_workers_share_answers(redis_url: str, names: tuple[bytes, ...]) -> None:
    """Also those that vary; what one has fetched is in its own memory then."""
    async with workers(redis_url) as (mine, theirs):
        epoch = (await mine.fetch(MINE, ACCEPT)).epoch
        keep(mine, entry(), names=names, epoch=epoch)
        await until_fetched(theirs, b"hello")
        found = theirs.find(MINE, ACCEPT)

    assert epoch == b""
    assert isinstance(found, Entry)


@pytest.mark.store
async def test_an_invalidation_is_heard_by_the_others(redis_url: str) -> None:
    """In their own memories as well, and within a second or so."""
    async with workers(redis_url) as (mine, theirs):
        keep(mine, entry(), epoch=b"")
        await until_fetched(theirs, b"hello")
        await mine.invalidate(URL)
        await until(lambda: theirs.memory.find(MINE) is None)

        assert await fetched(mine) is None
        assert await fetched(theirs) is None


@pytest.mark.store
async def test_redis_is_not_trusted_before_purges_are_known(redis_url: str) -> None:
    """A worker that begins without the database may have missed one."""
    async with workers(redis_url) as (mine, theirs):
        keep(mine, entry(), epoch=b"")
        await until_fetched(theirs, b"hello")
        theirs.memory.clear()
        theirs._knows_purges = False
        assert not theirs.is_shared
        theirs.purge([Purge(1, "route", "other")])
        assert await fetched(theirs) == b"hello"
        theirs.memory.clear()
        theirs.purge([Purge(2, "route", "r")])
        assert await fetched(theirs) is None
