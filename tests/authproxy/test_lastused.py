"""Uses are written in batches, and none is lost while there is room."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connections

from authproxy import accounts, apikeys, consumers, lastused, revocation, sessions
from authproxy.identity import Identity
from authproxy.lastused import LastUsed
from authproxy.models import ApiKey, IdentityChange, Session

pytestmark = [pytest.mark.store, pytest.mark.django_db]
AT = datetime(2030, 1, 1, 12, 0, 5, tzinfo=UTC)


def by_key(pk: int) -> Identity:
    return Identity(method="api_key", consumer="c", key_id=pk)


def by_session(pk: object) -> Identity:
    return Identity(method="session", consumer="c", session=str(pk))


class Clock:
    def __init__(self) -> None:
        self.now = AT.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key() -> ApiKey:
    return apikeys.create(consumers.create("billing"), "k", by="test")[0]


def uses(**more: Any) -> LastUsed:
    return LastUsed(access_lifetime_s=900.0, **{"wall_clock": Clock(), **more})


def last_used() -> list[datetime | None]:
    return list(ApiKey.objects.order_by("pk").values_list("last_used_at", flat=True))


def test_the_last_use_is_written(key: ApiKey) -> None:
    """To ten seconds; a session's likewise."""
    session = sessions.open(User.objects.create_user("anna"), address="", user_agent="").session
    found = uses()
    found.note(by_key(key.pk))
    found.note(by_session(session.pk))
    assert last_used() == [None]
    found.flush()
    assert last_used() == [AT.replace(second=0)]
    assert Session.objects.get().last_seen_at == AT.replace(second=0)


def test_a_later_use_that_another_worker_wrote_stays(key: ApiKey) -> None:
    """Workers write in any order."""
    ApiKey.objects.update(last_used_at=AT + timedelta(hours=1))
    found = uses()
    found.note(by_key(key.pk))
    found.flush()
    assert last_used() == [AT + timedelta(hours=1)]


def test_many_uses_are_few_statements(django_assert_num_queries: Any) -> None:
    """Each key once, some hundreds in a statement; none where nothing was used."""
    billing = consumers.create("billing")
    rows = [ApiKey(consumer=billing, name=f"k{n}", prefix=f"p{n}", digest=b"d") for n in range(1100)]
    pks = [row.pk for row in ApiKey.objects.bulk_create(rows)]
    found = uses()
    for _ in range(3):
        for pk in pks:
            found.note(by_key(pk))
    with django_assert_num_queries(3):
        found.flush()
    assert None not in last_used()
    with django_assert_num_queries(0):
        found.flush()


def test_what_cannot_be_written_is_kept(key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the next time; a later use of the same key takes its place."""
    found = uses()
    found.note(by_key(key.pk))

    def fail(*_arguments: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(lastused, "_write", fail)
        with pytest.raises(OperationalError):
            found.flush()
    assert last_used() == [None]
    found.flush()
    assert last_used() == [AT.replace(second=0)]


def test_where_there_is_no_room_a_use_is_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """But counted; neither is one that could not be written and whose place is taken."""
    found = uses(limit=3)
    for pk in (5, 1, 2, 3, 4, 5):
        found.note(by_key(pk))
    assert found.dropped == 2
    assert sorted(pk for _, pk in found._uses) == [1, 2, 5]

    def fail(*_arguments: object) -> None:
        found.note(by_key(2))
        found.note(by_key(9))
        raise OperationalError("database is locked")

    monkeypatch.setattr(lastused, "_write", fail)
    with pytest.raises(OperationalError):
        found.flush()
    assert found.dropped == 3
    assert len(found._uses) == 3
    assert {2, 9} < {pk for _, pk in found._uses}


def test_what_is_gone_is_no_error() -> None:
    """A key may have been deleted since."""
    found = uses()
    found.note(by_key(12345))
    found.note(by_session(uuid.uuid4()))
    found.flush()
    assert found._uses == {}


@pytest.mark.django_db(transaction=True)
async def test_a_thread_writes_them_and_keeps_house() -> None:
    """From time to time, and at the end."""
    key = await sync_to_async(lambda: apikeys.create(consumers.create("billing"), "k", by="test")[0])()
    for days in (8, 8, 0):
        row = await IdentityChange.objects.acreate(subject="user:1")
        await IdentityChange.objects.filter(pk=row.pk).aupdate(created_at=AT - timedelta(days=days))
    clock = Clock()
    found = uses(wall_clock=clock, flush_s=0.02)
    found.start()
    clock.now += 1.0
    found.note(by_key(key.pk))
    async with asyncio.timeout(10):
        while await IdentityChange.objects.acount() > 1 or not await _is_written():  # noqa: ASYNC110 - a thread does it
            await asyncio.sleep(0.02)
    clock.now += 60.0
    found.note(by_key(key.pk))
    await found.stop()
    assert await sync_to_async(last_used)() == [AT.replace(minute=1, second=0)]
    await sync_to_async(connections.close_all)()


async def _is_written() -> bool:
    return await ApiKey.objects.exclude(last_used_at=None).aexists()


def test_house_is_kept_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there is no more to do."""
    monkeypatch.setattr(revocation, "PRUNED_AT_ONCE", 2)
    accounts.create("anna")
    for _ in range(4):
        IdentityChange.objects.create(subject="user:1")
    later = (datetime.now(UTC) + timedelta(days=30)).timestamp()
    assert [lastused._keep_house(later, 960.0, 7 * 86400.0) for _ in range(3)] == [False, False, True]
    assert IdentityChange.objects.count() == 1
