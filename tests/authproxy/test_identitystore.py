"""Whose an API key or a session cookie is, asked of the database by many at once."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.utils import timezone

from authproxy import accounts, apikeys, consumers, identitystore, sessions, tickets
from authproxy.authenticate import StoreAway
from authproxy.identity import Identity
from authproxy.identitystore import IdentityStore
from authproxy.lastused import LastUsed
from authproxy.models import ApiKey, Consumer, Session
from tests.support.process import eventually

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    """The thread in which asynchronous tests reach the database closes its connection."""
    yield
    await sync_to_async(connections.close_all)()


class Rows:
    """An account with a session, and a program with a key."""

    def __init__(self) -> None:
        anna, _ = accounts.create("anna")
        billing = consumers.create("billing", kind="service", scopes=["read"])
        self.key, self.secret = apikeys.create(billing, "k", by="test")
        opened = sessions.open(anna, address="", user_agent="")
        self.session, self.cookie = opened.session, opened.cookie_text


@pytest.fixture
async def rows() -> Rows:
    return await sync_to_async(Rows)()


@asynccontextmanager
async def started(**options: Any) -> AsyncIterator[IdentityStore]:
    store = IdentityStore(pepper=apikeys.pepper(), last_used=LastUsed(access_lifetime_s=900.0), **options)
    store.start()
    try:
        yield store
    finally:
        await store.stop()


async def find(store: IdentityStore, text: str) -> Identity | None:
    brand = text[:3]
    prefix = tickets.prefix_of(text.encode(), brand, pepper=apikeys.pepper())
    assert prefix is not None
    return await store.find(brand, prefix, text.encode())


async def test_keys_and_cookies_are_found(rows: Rows) -> None:
    """Each with what it stands for."""
    async with started() as store:
        by_key, by_cookie = await asyncio.gather(find(store, rows.secret), find(store, rows.cookie))
    assert by_key is not None
    assert by_cookie is not None
    assert (by_key.method, by_key.consumer, by_key.key_id) == ("api_key", "billing", rows.key.pk)
    assert (by_cookie.method, by_cookie.name, by_cookie.session) == (
        "session",
        "anna",
        str(rows.session.pk),
    )


async def test_whoever_made_it_up_is_nobody(rows: Rows) -> None:
    """Even with the server's own tag, the right prefix and the wrong secret."""
    forged = tickets.mint(tickets.API_KEY, pepper=apikeys.pepper(), choice=lambda letters: letters[0])
    async with started() as store:
        assert await find(store, forged.text) is None
        assert await store.find(tickets.API_KEY, rows.key.prefix, forged.text.encode()) is None
        assert await store.find(tickets.SESSION, "", forged.text.encode()) is None
        assert await store.find(tickets.SESSION, rows.key.prefix, rows.secret.encode()) is None


@pytest.mark.parametrize(
    "shut_out",
    [
        lambda: ApiKey.objects.update(revoked_at=timezone.now()),
        lambda: ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda: ApiKey.objects.all().delete(),
        lambda: Consumer.objects.update(enabled=False),
        lambda: Consumer.objects.all().delete(),
    ],
)
async def test_a_key_that_does_not_count_is_nobody(rows: Rows, shut_out: Callable[[], object]) -> None:
    async with started() as store:
        assert await find(store, rows.secret) is not None
        await sync_to_async(shut_out)()
        assert await find(store, rows.secret) is None


@pytest.mark.parametrize(
    "shut_out",
    [
        lambda: Session.objects.update(ended_at=timezone.now()),
        lambda: Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda: User.objects.update(is_active=False),
    ],
)
async def test_a_session_that_does_not_count_is_nobody(rows: Rows, shut_out: Callable[[], object]) -> None:
    async with started() as store:
        assert await find(store, rows.cookie) is not None
        await sync_to_async(shut_out)()
        assert await find(store, rows.cookie) is None


async def test_everybody_who_waits_is_answered_at_once(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever came while the first was asked about is in the next batch, up to five hundred at once."""
    batches: list[int] = []
    first_is_asked, all_wait = threading.Event(), threading.Event()
    answer = identitystore._answer

    def counted(questions: Any) -> Any:
        batches.append(len(questions))
        first_is_asked.set()
        assert all_wait.wait(60)
        return answer(questions)

    monkeypatch.setattr(identitystore, "_answer", counted)
    async with started(patience_s=60.0) as store:
        asking = [asyncio.create_task(find(store, rows.secret))]
        assert await asyncio.to_thread(first_is_asked.wait, 60)
        asking += [asyncio.create_task(find(store, rows.secret)) for _ in range(999)]
        await asyncio.sleep(0)  # each runs until it waits
        all_wait.set()
        found = await asyncio.gather(*asking)
    assert all(identity is not None and identity.key_id == rows.key.pk for identity in found)
    assert batches == [1, 500, 499]


def test_a_batch_is_a_few_queries(django_assert_max_num_queries: Any) -> None:
    """However many keys and sessions are in it."""
    billing = consumers.create("billing", kind="service")
    anna, _ = accounts.create("anna")
    loop = asyncio.new_event_loop()
    questions = []
    for number in range(20):
        _, secret = apikeys.create(billing, f"k{number}", by="test")
        cookie = sessions.open(anna, address="", user_agent="").cookie_text
        for text in (secret, cookie):
            prefix = tickets.prefix_of(text.encode(), text[:3], pepper=apikeys.pepper()) or ""
            digest = tickets.digest(text.encode(), pepper=apikeys.pepper())
            questions.append(identitystore._Question(text[:3], prefix, digest, loop.create_future()))
    with django_assert_max_num_queries(9):
        assert len(identitystore._answer(questions)) == 40
    loop.close()


async def test_while_the_database_is_away_nobody_is_anybody(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first failure nobody is asked, however many come; when the time is over, it is asked again."""
    asked: list[int] = []
    answer = identitystore._answer

    def fail(questions: Any) -> Any:
        asked.append(len(questions))
        raise OperationalError("connection refused")

    monkeypatch.setattr(identitystore, "_answer", fail)
    async with started(away_s=600.0) as store:
        for _ in range(100):
            with pytest.raises(StoreAway):
                await find(store, rows.secret)
        assert asked == [1]
    async with started(away_s=0.1) as store:
        with pytest.raises(StoreAway):
            await find(store, rows.secret)
        monkeypatch.setattr(identitystore, "_answer", answer)
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await find(store, rows.secret) is not None
                    break
                except StoreAway:
                    await asyncio.sleep(0.02)


async def test_a_database_that_hangs_is_away(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is told in time; who comes while it hangs does not wait at all."""
    hangs, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(identitystore, "_answer", lambda _questions: hangs.set() or (ended.wait(60) and {}))
    loop = asyncio.get_running_loop()
    async with started(patience_s=0.2, away_s=0.0) as store:
        began = loop.time()
        with pytest.raises(StoreAway):
            await find(store, rows.secret)
        assert 0.2 <= loop.time() - began < 30.0, "not when it ceases to hang"
        assert hangs.is_set()
        await eventually(store._is_away)  # its thread may have begun later than who waited
        with pytest.raises(StoreAway):
            find(store, rows.secret).send(None)  # type: ignore[attr-defined]  # waits for nothing, or this would return
        ended.set()


async def test_the_queue_is_bounded(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it, the store is as good as away."""
    monkeypatch.setattr(identitystore, "MOST_WAITING", 3)
    ended = threading.Event()
    monkeypatch.setattr(identitystore, "_answer", lambda _questions: ended.wait(10) and {})
    async with started() as store:
        found = asyncio.gather(*(find(store, rows.secret) for _ in range(20)), return_exceptions=True)
        await asyncio.sleep(0)
        ended.set()
        away = [one for one in await found if isinstance(one, StoreAway)]
    assert 13 <= len(away) <= 17


async def test_before_the_start_and_after_the_end_it_is_away(rows: Rows) -> None:
    """Whoever waits at the end is told so."""
    store = IdentityStore(pepper=apikeys.pepper(), last_used=LastUsed(access_lifetime_s=900.0))
    with pytest.raises(StoreAway):
        await find(store, rows.secret)
    store.start()
    assert await find(store, rows.secret) is not None
    await store.stop()
    with pytest.raises(StoreAway):
        await find(store, rows.secret)


async def test_who_leaves_is_not_answered(rows: Rows) -> None:
    """And disturbs nobody else."""
    async with started() as store:
        leaving = asyncio.create_task(find(store, rows.secret))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await find(store, rows.secret) is not None
        with pytest.raises(asyncio.CancelledError):
            await leaving
