"""Announcements wake whoever listens, over one connection for all channels, and only when there is something to see."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.db import connection, transaction

from routing import hearing
from routing.hearing import Ear, hear_redis, listening
from routing.notify import bind_redis, tell
from tests.support.redisservers import Replicated, cluster_in, replicated_in, wait_until

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


class Woken:
    """Counts wake-ups, and waits for them."""

    def __init__(self) -> None:
        self.semaphore = threading.Semaphore(0)

    def __call__(self) -> None:
        self.semaphore.release()

    def within(self, seconds: float) -> bool:
        return self.semaphore.acquire(timeout=seconds)


@pytest.fixture
def channel() -> Iterator[str]:
    """One that no other test announces on."""
    yield own_channel()
    bind_redis(None)


def own_channel() -> str:
    return f"test_{uuid.uuid4().hex}"


@contextmanager
def heard(channel: str, redis_url: str | None = None) -> Iterator[Woken]:
    """Somebody listens to the channel, in all ways that there are."""
    woken = Woken()
    begun = listening(channel, woken, redis_url)
    for each in begun:
        each.begin()
    try:
        yield woken
    finally:
        for each in begun:
            each.end()


def subscribed(redis_url: str, channel: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        wait_until(lambda: bool(client.pubsub_numsub(channel)[0][1]))


def test_redis_wakes_after_the_commit(redis_url: str, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before, and not at all if the transaction rolls back."""
    bind_redis(redis_url)
    monkeypatch.setattr(hearing, "_POSTGRES", "no such database")
    woken = Woken()
    ear = Ear(hear_redis(redis_url))
    ear.add(channel, woken)
    ear.start()
    subscribed(redis_url, channel)
    with transaction.atomic():
        tell(channel, "1")
        transaction.set_rollback(True)
    with transaction.atomic():
        tell(channel, "2")
        assert not woken.within(0.2)
    assert woken.within(5)
    assert ear.remove(channel, woken)
    ear.join(5)
    assert not ear.is_alive()


@pytest.mark.parametrize("kind", ["cluster", "sentinel"])
def test_several_servers_wake(kind: str, tmp_path: Path, channel: str) -> None:
    """A Cluster, and what Sentinel names: after the master has died, an ear hears the next one."""
    with cluster_in(tmp_path) if kind == "cluster" else replicated_in(tmp_path) as servers:
        wait_until(servers.is_complete)
        bind_redis(servers.url)
        woken = Woken()
        ear = Ear(hear_redis(servers.url))
        ear.add(channel, woken)
        ear.start()
        wait_until(lambda: woken_by_an_announcement(channel, woken))
        if isinstance(servers, Replicated):
            servers.lose_master()
            wait_until(servers.has_failed_over)
            while woken.within(0.0):
                pass
            wait_until(lambda: woken_by_an_announcement(channel, woken), within_s=30.0)
        ear.remove(channel, woken)
        ear.join(5)
        assert not ear.is_alive()


def woken_by_an_announcement(channel: str, woken: Woken) -> bool:
    with transaction.atomic():
        tell(channel, "1")
    return woken.within(0.2)


def test_postgres_wakes_after_the_commit(channel: str) -> None:
    """NOTIFY is part of the transaction. SQLite has nothing like it: there, nothing is said and nothing fails."""
    if connection.vendor != "postgresql":
        assert listening(channel, Woken(), None) == []
        tell(channel, "1")
        return
    with heard(channel) as woken:
        assert woken.within(5), "an ear that opens looks once"
        with transaction.atomic():
            tell(channel, "2")
            assert not woken.within(0.2)
        assert woken.within(5)


def test_all_who_listen_share_one_connection(redis_url: str, channel: str) -> None:
    """Each is woken by its own channel alone; one that comes later is heard as well; the last to leave ends the ear."""
    bind_redis(redis_url)
    other = own_channel()
    with heard(channel, redis_url) as first:
        subscribed(redis_url, channel)
        with heard(other, redis_url) as second:
            subscribed(redis_url, other)
            ears = dict(hearing._ears)
            assert len(ears) == (2 if connection.vendor == "postgresql" else 1)
            drain(first, second)
            tell(other, "1")
            assert second.within(5)
            assert not first.within(0.3)
            tell(channel, "2")
            assert first.within(5)
        tell(channel, "3")
        assert first.within(5)
    for ear in ears.values():
        ear.join(5)
        assert not ear.is_alive()
    assert hearing._ears == {}


def drain(*woken: Woken) -> None:
    """Takes away what an opening ear woke them for."""
    for each in woken:
        while each.within(1.2 if connection.vendor == "postgresql" else 0.0):
            pass


def test_an_ear_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection is opened again after a pause."""
    monkeypatch.setattr(hearing, "FIRST_PAUSE_S", 0.01)
    woken = Woken()
    attempts: list[int] = []

    def hear(ear: Ear) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise redis.ConnectionError("gone")
        ear.tell(ear.channels)
        ear.stopped.wait(5)

    ear = Ear(hear)
    ear.add("news", woken)
    ear.start()
    assert woken.within(5)
    assert len(attempts) == 3
    ear.remove("news", woken)
    ear.join(5)
    assert not ear.is_alive()
