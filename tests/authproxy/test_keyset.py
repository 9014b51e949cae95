"""A provider's keys over time: rotated, withdrawn, away, hanging, and asked for by liars."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from authproxy.keyset import FetchFailed, KeySet, Limits
from tests.support.issuers import Issuer
from tests.support.virtualtime import clock, in_virtual_time

URL = "https://idp.test/keys"
TTL = 600.0


def key_set(issuer: Issuer, *, url: str = URL, **limits: Any) -> KeySet:
    return KeySet(url, is_discovery=False, fetch=issuer, limits=Limits(**limits), clock=clock)


async def loaded(issuer: Issuer, **limits: Any) -> KeySet:
    keys = key_set(issuer, **limits)
    assert await keys.refreshed()
    return keys


def has(keys: KeySet, kid: str) -> bool:
    return bool(keys.find("ES256", kid))


def gaps(times: Iterable[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


@in_virtual_time
async def test_keys_are_ready_before_they_are_asked_for() -> None:
    """And are fetched anew before they are too old, for as long as the provider is there."""
    issuer = Issuer("a")
    keys = key_set(issuer)
    keys.prefetch()
    keys.prefetch()
    await asyncio.sleep(1)
    for _ in range(100):
        assert has(keys, "a")
        await asyncio.sleep(TTL / 7)

    assert set(gaps(issuer.asked_at)) == {0.8 * TTL}


@in_virtual_time
async def test_everybody_waits_for_the_same_fetch() -> None:
    """A thousand requests at a cold start ask once."""
    issuer = Issuer("a")
    issuer.takes_s = 1.0
    keys = key_set(issuer, waiting=1000)

    assert await asyncio.gather(*[keys.refreshed() for _ in range(1000)]) == [True] * 1000
    assert len(issuer.asked_at) == 1


@in_virtual_time
async def test_new_key_is_found_at_once() -> None:
    """After a quiet while, the first token that names it brings it."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    await asyncio.sleep(60)
    issuer.kids = ["a", "b"]
    before = clock()

    assert keys.find("ES256", "b") is None
    assert await keys.refreshed()
    assert has(keys, "b")
    assert clock() == before


@in_virtual_time
async def test_withdrawn_key_ends_within_the_lifetime() -> None:
    """Whether or not anybody asks."""
    issuer = Issuer("a", "b")
    keys = await loaded(issuer)
    issuer.kids = ["b"]
    await asyncio.sleep(TTL)

    assert not has(keys, "a")
    assert has(keys, "b")


@in_virtual_time
async def test_issuers_lifetime_counts() -> None:
    """Cache-Control of a minute: a withdrawn key ends within it."""
    issuer = Issuer("a")
    issuer.cache_control = "max-age=60"
    keys = await loaded(issuer)
    issuer.kids = []
    await asyncio.sleep(60)

    assert not has(keys, "a")


@in_virtual_time
async def test_made_up_names_cost_the_provider_nothing() -> None:
    """10,000 of them within a minute: a fetch every five seconds, whoever waits."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    start = clock()

    async def liar(number: int) -> bool:
        await asyncio.sleep(number * 60 / 10_000)
        assert keys.find("ES256", f"made-up-{number}") is None
        return await keys.refreshed()

    await asyncio.gather(*[liar(number) for number in range(10_000)])

    assert min(gaps(issuer.asked_at)) >= 5
    assert len(issuer.asked_at) <= 15
    assert clock() - start < 60 + 12
    assert has(keys, "a")


@in_virtual_time
async def test_rotation_amid_made_up_names() -> None:
    """Who comes with a new, true name while liars keep the provider busy waits a few seconds and is let in."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    lies = [asyncio.ensure_future(keys.refreshed()) for _ in range(100)]
    await asyncio.sleep(2)
    issuer.kids = ["a", "b"]
    before = clock()

    assert await keys.refreshed()
    assert has(keys, "b")
    assert clock() - before <= 5
    await asyncio.gather(*lies)


@in_virtual_time
async def test_fetch_under_way_may_be_too_early() -> None:
    """The provider answered before it rotated: whoever came after that waits for one more fetch."""
    issuer = Issuer("a")
    issuer.takes_s = 1.0
    keys = key_set(issuer)
    first = asyncio.ensure_future(keys.refreshed())
    await asyncio.sleep(0.5)
    issuer.kids = ["a", "b"]

    assert await keys.refreshed()
    assert has(keys, "b")
    assert await first
    assert len(issuer.asked_at) == 2


@in_virtual_time
async def test_keys_serve_on_while_the_provider_is_away() -> None:
    """For a day; unknown names are "unavailable" without waiting; everything heals by itself."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    issuer.error = FetchFailed("away")
    await asyncio.sleep(TTL + 3600)
    before = clock()

    assert has(keys, "a")
    assert keys.find("ES256", "b") is None
    assert not await keys.refreshed()
    assert clock() == before
    issuer.error, issuer.kids = None, ["b"]
    await asyncio.sleep(60)
    assert has(keys, "b")
    assert not has(keys, "a")


@in_virtual_time
async def test_stale_keys_end_some_day() -> None:
    """A day after their lifetime."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    issuer.error = FetchFailed("away")
    await asyncio.sleep(TTL + 86_000)
    assert has(keys, "a")
    await asyncio.sleep(400)

    assert keys.find("ES256", "a") is None


@in_virtual_time
async def test_provider_that_is_away_is_left_in_peace() -> None:
    """Attempts are further and further apart, at most a minute, however many ask."""
    issuer = Issuer()
    issuer.error = FetchFailed("away")
    keys = key_set(issuer)
    for _ in range(36_000):
        assert not await keys.refreshed()
        await asyncio.sleep(0.1)

    found = gaps(issuer.asked_at)
    assert found[:3] == pytest.approx([5, 5, 8], abs=0.2)
    assert max(found) == pytest.approx(60, abs=0.2)
    assert len(issuer.asked_at) < 70


@in_virtual_time
async def test_provider_that_hangs() -> None:
    """Requests wait for so long and no longer; known keys are not held up."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    issuer.takes_s = 1e6
    await asyncio.sleep(10)
    before = clock()

    assert not await keys.refreshed()
    assert clock() - before == 12
    assert has(keys, "a")


@in_virtual_time
async def test_only_so_many_wait() -> None:
    """The others are told to come again at once."""
    issuer = Issuer("a")
    issuer.takes_s = 1.0
    keys = key_set(issuer, waiting=10)
    waiting = [asyncio.ensure_future(keys.refreshed()) for _ in range(10)]
    await asyncio.sleep(0.1)
    before = clock()

    assert not await keys.refreshed()
    assert clock() == before
    assert await asyncio.gather(*waiting) == [True] * 10
    assert await keys.refreshed()


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"keys": 7}', b"\xff\xfe"])
@in_virtual_time
async def test_rubbish_changes_nothing(body: bytes) -> None:
    """A maintenance page in place of the keys counts as a failure."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    issuer.body = body
    await asyncio.sleep(TTL + 10)

    assert keys.failures > 0
    assert has(keys, "a")


@in_virtual_time
async def test_error_that_nobody_thought_of() -> None:
    """It is a failure like any other: the next attempt comes."""
    issuer = Issuer("a")
    issuer.error = KeyError("?")
    keys = key_set(issuer)
    assert not await keys.refreshed()
    issuer.error = None
    await asyncio.sleep(10)

    assert has(keys, "a")


@in_virtual_time
async def test_late_timer_lets_no_old_key_pass() -> None:
    """A process that slept past the lifetime asks first; if there is no answer, the keys serve on."""
    issuer = Issuer("a")
    keys = await loaded(issuer)
    issuer.error = FetchFailed("away")
    keys.close()
    await asyncio.sleep(TTL)

    assert keys.find("ES256", "a") is None
    assert not await keys.refreshed()
    assert has(keys, "a")


@in_virtual_time
async def test_what_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The first failure and the recovery, without what may be secret in the address."""
    issuer = Issuer("a")
    issuer.error = FetchFailed("status 503")
    keys = key_set(issuer, url="https://user:password@idp.test/keys?code=geheim")
    for _ in range(500):
        await keys.refreshed()
        await asyncio.sleep(1)
    issuer.error = None
    await asyncio.sleep(100)

    assert caplog.messages == [
        "The keys at https://idp.test/keys cannot be had: status 503",
        "The keys at https://idp.test/keys can be had again.",
    ]
