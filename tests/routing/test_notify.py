"""Announcements wake whoever listens, and only when there is something to see."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection, transaction

from routing import notify
from routing.notify import Ear, announce, bind_redis, hear_postgres, hear_redis
from tests.support.redisservers import Replicated, cluster_in, replicated_in, wait_until

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def own_channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A channel that no other test announces on."""
    monkeypatch.setattr(notify, "CHANNEL", f"test_{uuid.uuid4().hex}")
    yield
    bind_redis(None)


class Woken:
    """Counts wake-ups, and waits for them."""

    def __init__(self) -> None:
        self.semaphore = threading.Semaphore(0)

    def __call__(self) -> None:
        self.semaphore.release()

    def within(self, seconds: float) -> bool:
        return self.semaphore.acquire(timeout=seconds)


def test_redis_wakes_after_the_commit(redis_url: str) -> None:
    """Not before, and not at all if the transaction rolls back."""
    bind_redis(redis_url)
    woken = Woken()
    ear = Ear(hear_redis(redis_url, notify.CHANNEL), woken)
    ear.start()
    client = redis.Redis.from_url(redis_url)
    while not client.pubsub_numsub(notify.CHANNEL)[0][1]:
        threading.Event().wait(0.01)
    client.close()
    with transaction.atomic():
        announce(1)
        transaction.set_rollback(True)
    with transaction.atomic():
        announce(2)
        assert not woken.within(0.2)
    assert woken.within(5)
    ear.stop()
    ear.join(5)
    assert not ear.is_alive()


@pytest.mark.parametrize("kind", ["cluster", "sentinel"])
def test_several_servers_wake(kind: str, tmp_path: Path) -> None:
    """A Cluster, and what Sentinel names: after the master has died, an ear hears the next one."""
    with cluster_in(tmp_path) if kind == "cluster" else replicated_in(tmp_path) as servers:
        wait_until(servers.is_complete)
        bind_redis(servers.url)
        woken = Woken()
        ear = Ear(hear_redis(servers.url, notify.CHANNEL), woken)
        ear.start()
        wait_until(lambda: woken_by_an_announcement(woken))
        if isinstance(servers, Replicated):
            servers.master.stop()
            wait_until(servers.has_failed_over, within_s=30.0)
            while woken.within(0.0):
                pass
            wait_until(lambda: woken_by_an_announcement(woken), within_s=30.0)
        ear.stop()
        ear.join(5)
        assert not ear.is_alive()


def woken_by_an_announcement(woken: Woken) -> bool:
    with transaction.atomic():
        announce(1)
    return woken.within(0.2)


def test_postgres_wakes_after_the_commit() -> None:
    """NOTIFY is part of the transaction. SQLite has nothing like it: there, nothing is said and nothing fails."""
    woken = Woken()
    if connection.vendor != "postgresql":
        announce(1)
        return
    ear = Ear(hear_postgres(notify.CHANNEL), woken)
    ear.start()
    assert woken.within(5), "an ear that opens looks once"
    with transaction.atomic():
        announce(2)
        assert not woken.within(0.2)
    assert woken.within(5)
    ear.stop()
    ear.join(5)
    assert not ear.is_alive()


def test_a_change_does_not_fail_for_lack_of_redis() -> None:
    """Polling finds it."""
    bind_redis("redis://127.0.0.1:1/0")
    with transaction.atomic():
        announce(1)


def test_an_ear_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection is opened again after a pause."""
    monkeypatch.setattr(notify, "FIRST_PAUSE_S", 0.01)
    woken = Woken()
    attempts: list[int] = []

    def hear(wake: notify.Wake, stopped: threading.Event) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise redis.ConnectionError("gone")
        wake()
        stopped.wait(5)

    ear = Ear(hear, woken)
    ear.start()
    assert woken.within(5)
    assert len(attempts) == 3
    ear.stop()
    ear.join(5)
