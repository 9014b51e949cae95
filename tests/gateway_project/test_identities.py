"""One worker's knowledge of callers, with the real parts and a real database behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from authproxy import apikeys, consumers, security, sessions
from authproxy.credentials import METHODS
from authproxy.identity import Identity
from authproxy.memory import Accepted
from authproxy.models import SecurityEvent as EventRow
from gateway_project.identities import Identities
from tests.support.identities import account
from tests.support.snapshots import snapshot_of

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
in_thread = sync_to_async


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    """The thread in which asynchronous tests reach the database closes its connection."""
    yield
    await in_thread(connections.close_all)()


@asynccontextmanager
async def started(*, has_database: bool = True, var_dir: Path | None = None) -> AsyncIterator[Identities]:
    config = settings.CONFIG if var_dir is None else replace(settings.CONFIG, var_dir=var_dir)
    identities = Identities(config, has_database=has_database)
    await identities.start()
    try:
        yield identities
    finally:
        await identities.stop()


async def caller(identities: Identities, name: bytes, value: str) -> Identity | str:
    answer = identities.gatekeeper.authenticator.identify([(name, value.encode())], METHODS, ())
    answer = await answer if isinstance(answer, Awaitable) else answer
    return answer.identity if isinstance(answer, Accepted) else answer


@asynccontextmanager
async def change_seen(identities: Identities, subject: str) -> AsyncIterator[None]:
    """Until this worker knows of the change that is made inside."""
    seen = asyncio.Event()
    identities._changes.subscribe(lambda subjects: seen.set() if subject in subjects else None)
    yield
    async with asyncio.timeout(5):
        await seen.wait()


async def test_key_counts_until_it_is_revoked() -> None:
    """Which is seen without being asked for."""
    bot = await in_thread(consumers.create)("bot", kind="service", scopes=["read"])
    key, secret = await in_thread(apikeys.create)(bot, "k", by="test")
    async with started() as identities:
        found = await caller(identities, b"x-api-key", secret)
        async with change_seen(identities, f"key:{key.pk}"):
            await in_thread(apikeys.revoke)(key, by="test")

        assert await caller(identities, b"x-api-key", secret) == "invalid"

    assert isinstance(found, Identity)
    assert (found.consumer, found.scopes({})) == ("bot", {"read"})
    await in_thread(key.refresh_from_db)()
    assert key.last_used_at is not None


async def test_session_counts_until_it_ends() -> None:
    """By its cookie."""
    opened = await in_thread(lambda: sessions.open(account("anna"), address="", user_agent=""))()
    async with started() as identities:
        found = await caller(identities, b"cookie", f"torana_session={opened.cookie_text}")
        async with change_seen(identities, f"session:{opened.session.pk}"):
            await in_thread(sessions.end)(opened.session, reason="test", by="test")

        assert await caller(identities, b"cookie", f"torana_session={opened.cookie_text}") == "invalid"

    assert isinstance(found, Identity)
    assert (found.name, found.session) == ("anna", str(opened.session.pk))


async def test_security_events_are_kept_while_it_runs() -> None:
    """What is told at last is written before the end."""
    async with started():
        security.emit(security.SecurityEvent("forbidden", "anna", details={"route": "r"}))

    assert await EventRow.objects.filter(kind="forbidden", actor="anna").acount() == 1


async def test_without_a_database_keys_cannot_be_checked() -> None:
    """Tokens can; nothing asks for a database."""
    _, secret = await in_thread(lambda: apikeys.create(consumers.create("bot"), "k", by="test"))()
    async with started(has_database=False) as identities:
        identities.reconcile(snapshot_of())

        assert await caller(identities, b"x-api-key", secret) == "unavailable"
        assert await caller(identities, b"authorization", "Bearer forged") == "invalid"


@pytest.mark.parametrize("has_database", [True, False])
async def test_what_was_taken_back_is_kept_for_a_start_without_a_database(
    tmp_path: Path, *, has_database: bool
) -> None:
    """Whether there should be one or not."""
    opened = await in_thread(lambda: sessions.open(account("anna"), address="", user_agent=""))()
    subject = f"session:{opened.session.pk}"
    async with started(var_dir=tmp_path) as identities, change_seen(identities, subject):
        await in_thread(sessions.end)(opened.session, reason="test", by="test")

    async with started(has_database=has_database, var_dir=tmp_path) as identities:
        found = [Identity(method="jwt", subjects=(each,), seq=0) for each in (subject, "session:other")]
        assert [identities._changes.is_stale(identity) for identity in found] == [True, False]


async def test_what_was_not_started_can_be_stopped() -> None:
    """A worker whose start failed ends all the same."""
    identities = Identities(settings.CONFIG, has_database=True)
    await identities.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
