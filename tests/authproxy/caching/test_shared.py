"""Stored answers in a real Redis, shared by two workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from authproxy.caching.entry import Entry, Varying
from authproxy.caching.freshness import Times
from authproxy.caching.keys import NOBODY, URL, Key, url_digest
from authproxy.caching.shared import MOST_PENDING, SharedStore, Sighting
from resilience.stores.connection import Away, RedisLink
from tests.support.fetching import until
from tests.support.redislink import link_to

pytestmark = pytest.mark.store


def key(path: bytes = b"/x") -> Key:
    return Key(b"c", NOBODY, ("http", b"h", path, b""))


def entry(body: bytes = b"hello") -> Entry:
    return Entry(200, [(b"a", b"b")], body, Times(0.0, 60.0), route="r")


@asynccontextmanager
async def stores(url: str, **options: Any) -> AsyncIterator[tuple[SharedStore, SharedStore, RedisLink]]:
    prefix = f"test-{uuid4().hex}"
    async with link_to(url) as link, link_to(url) as other:
        both = [SharedStore(each, prefix=prefix, **options) for each in (link, other)]
        try:
            yield both[0], both[1], link
        finally:
            for each in both:
                await each.stop()
            slots = [f"{{{prefix}:{url_digest(key(path).url)}}}*" for path in (b"/x", b"/y")]
            found = [name for slot in slots for name in await link.call("KEYS", slot)]
            await link.call("DEL", f"{{{prefix}}}news", *found)


async def found(store: SharedStore, at: Key, values: tuple[bytes | None, ...] | None = None) -> Sighting:
    sighting = await store.find(at.url, [(at, values)])
    assert sighting is not None
    return sighting


async def kept(store: SharedStore, at: Key, body: bytes = b"hello", kept_s: float = 60.0) -> None:
    epoch = (await found(store, at)).epoch
    written = store.tally.written
    store.keep(at, None, (), entry(body), epoch, kept_s)
    await until(lambda: store.tally.written > written)


def body_of(sighting: Sighting) -> bytes | None:
    (each,) = sighting.found
    return each.body if isinstance(each, Entry) else None


@pytest.mark.parametrize("one_slot", [False, True])
async def test_what_one_worker_keeps_another_finds(redis_url: str, one_slot: bool) -> None:
    """Several in one turn, each its own."""
    async with stores(redis_url, one_slot=one_slot) as (mine, theirs, _):
        await kept(mine, key(), b"x")
        await kept(mine, key(b"/y"), b"y")
        sightings = await asyncio.gather(*(found(theirs, key(path)) for path in (b"/x", b"/y", b"/z")))

    assert [body_of(each) for each in sightings] == [b"x", b"y", None]


async def test_variants_are_found_by_their_names_first(redis_url: str) -> None:
    """A worker that does not know yet how answers vary is told so."""
    async with stores(redis_url) as (mine, theirs, _):
        mine.keep(key(), (b"de",), (b"accept-language",), entry(b"hallo"), b"", 60.0)
        await until(lambda: mine.tally.written == 1)
        first = await found(theirs, key())
        second = await found(theirs, key(), (b"de",))
        other = await found(theirs, key(), (b"fr",))

    (names,) = first.found
    assert isinstance(names, Varying)
    assert names.names == (b"accept-language",)
    assert (body_of(second), body_of(other)) == (b"hallo", None)


async def test_a_url_that_was_invalidated_has_no_answers(redis_url: str) -> None:
    """Nor does one come that was asked for before; other workers are told."""
    async with stores(redis_url) as (mine, theirs, _):
        assert await theirs.begin()
        await kept(mine, key())
        before = (await found(mine, key())).epoch
        await mine.invalidate(key().url)
        gone = await found(theirs, key())
        mine.keep(key(), None, (), entry(b"late"), before, 60.0)
        await until(lambda: mine.tally.written == 2)
        late = await found(theirs, key())
        await kept(mine, key(), b"new")

        assert (body_of(gone), body_of(late), body_of(await found(theirs, key()))) == (None, None, b"new")
        assert await theirs.hear() == [key().url]
        assert await theirs.hear() == []


async def test_who_leaves_meanwhile_has_invalidated_all_the_same(redis_url: str) -> None:
    """Else nobody else would ever hear of a change whose client did not wait."""
    urls = (key().url, key(b"/y").url)
    async with stores(redis_url) as (mine, theirs, _):
        for path in (b"/x", b"/y"):
            await kept(mine, key(path))
        asking = asyncio.create_task(mine.invalidate(*urls))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        await asyncio.gather(*mine._tasks)
        left = [body_of(await found(theirs, key(path))) for path in (b"/x", b"/y")]

    assert asking.cancelled()
    assert left == [None, None]


async def test_an_answer_is_kept_as_long_as_it_is_of_use(redis_url: str) -> None:
    """Redis forgets it by itself."""
    async with stores(redis_url) as (mine, _, link):
        await kept(mine, key(), kept_s=7.0)
        (name,) = [each for each in await link.call("KEYS", f"{mine._slot(key().url)}*") if each]
        left = await link.call("PTTL", name)
        mine.keep(key(b"/y"), None, (), entry(), b"", 0.0)

    assert 0 < left <= 7000
    assert mine.tally.written == 1


async def test_garbage_is_no_answer(redis_url: str) -> None:
    """Whoever wrote it."""
    async with stores(redis_url) as (mine, theirs, link):
        await kept(mine, key())
        (name,) = await link.call("KEYS", f"{mine._slot(key().url)}*")
        for garbage in (b"", b"\x00", b"\x05abc", b"\x00\x00\x00\x00\x02{}"):
            await link.call("SET", name, garbage, "PX", 5000)
            assert body_of(await found(theirs, key())) is None


async def test_nothing_is_written_where_there_is_no_room(redis_url: str) -> None:
    """Quotas and revocations live in the same Redis."""
    async with stores(redis_url) as (mine, _, link):
        await mine.weigh()
        most = await link.call("CONFIG", "GET", "maxmemory")
        assert mine.is_full is False or most
        mine.is_full = True
        mine.keep(key(), None, (), entry(), b"", 60.0)

        assert mine.tally.dropped == 1


class Weighing(RedisLink):
    """Says what Redis is asked for."""

    def __init__(self, **told: int) -> None:
        super().__init__("redis://nowhere.test", rng=Random(1))
        self.told: Any = told

    async def call(self, *command: Any) -> Any:
        return self.told


async def test_half_of_the_memory_is_left_to_others() -> None:
    """Where there is a bound."""
    link = Weighing(maxmemory=100, used_memory=51)
    store = SharedStore(link, prefix="x")
    await store.weigh()
    assert store.is_full
    link.told = {"maxmemory": 100, "used_memory": 50}
    await store.weigh()
    assert not store.is_full
    link.told = {"maxmemory": 0, "used_memory": 5000}
    await store.weigh()
    assert not store.is_full


async def test_while_redis_is_away_nothing_is_found_and_nothing_is_forgotten() -> None:
    """What was invalidated is said once it is back; as much as can be kept."""
    link = Weighing()
    link.told = Away("gone")
    store = SharedStore(link, prefix="x")
    urls: list[URL] = [("http", b"h", b"/%d" % number, b"") for number in range(MOST_PENDING + 1)]
    for url in urls:
        await store.invalidate(url)

    assert await store.find(urls[0], [(key(), None)]) is None
    assert await store.hear() is None
    assert not await store.begin()
    assert store.tally.lost == 1
    link.is_up, link.told = True, b"OK"
    await store.catch_up()
    assert not store._pending
