"""Every worker follows the discovered targets, within a second, and no outage takes one away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections

from routing import leases, leasewatch
from routing.leasefile import LeaseFile
from routing.leasewatch import LeaseWatch
from routing.leasing import Targets
from routing.models import Lease, LeaseCount
from routing.notify import bind_redis
from tests.support.leases import grow_old, registered
from tests.support.stopwatch import Stopwatch

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NEVER_S = 60.0
register = sync_to_async(registered)
leave = sync_to_async(leases.end)
age = sync_to_async(grow_old)


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    """The thread in which asynchronous tests reach the database closes its connection."""
    yield
    await sync_to_async(connections.close_all)()


class Pool:
    """What a worker was told; `holds` waits until it is so."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[str, ...]]] = []
        self.targets: dict[str, Targets] = {}
        self._news = asyncio.Event()

    def __call__(self, service: str, targets: Targets) -> None:
        self.told.append((service, tuple(target.url for target in targets)))
        self.targets[service] = targets
        self._news.set()

    def urls(self, service: str = "orders") -> list[str]:
        return [target.url for target in self.targets.get(service, ())]

    async def holds(self, is_so: Callable[[], bool]) -> float:
        """Seconds until it is so."""
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(15):
            while not is_so():
                self._news.clear()
                await self._news.wait()
        return asyncio.get_running_loop().time() - began

    async def has(self, *ports: int, service: str = "orders") -> float:
        return await self.holds(lambda: self.urls(service) == [f"http://orders:{port}" for port in ports])


@asynccontextmanager
async def watched(**options: Any) -> AsyncIterator[tuple[LeaseWatch, Pool]]:
    pool = Pool()
    watch = LeaseWatch(pool, **options)
    await watch.start()
    try:
        yield watch, pool
    finally:
        await watch.stop()


async def test_what_was_there_and_what_comes(stopwatch: Stopwatch) -> None:
    """By polling alone, within a second; what waits for approval, or has ended, is no target."""
    first = (await register(port=1, weight=3)).lease
    waiting = (await register(port=2, approves=False, by="other")).lease
    async with watched() as (watch, pool):
        assert pool.urls() == ["http://orders:1"]
        target = pool.targets["orders"][0]
        assert target == (str(first.pk), "http://orders:1", 3, "/health", 30.0, None)
        await register(port=4)
        assert await stopwatch.of(pool.has(1, 4)) < 1.0
        await sync_to_async(leases.approve)([waiting.pk], by="ada")
        assert await stopwatch.of(pool.has(1, 2, 4)) < 1.0
        await leave([first.pk], by="x", why="x")
        assert await stopwatch.of(pool.has(2, 4)) < 1.0
        await register("else", port=9)
        assert await stopwatch.of(pool.has(9, service="else")) < 1.0
        assert set(watch.targets) == {"orders", "else"}
        assert (watch.database_error, watch.standing.silent_s) == ("", None)
        assert leasewatch.running() is watch
    assert leasewatch.running() is None


async def test_only_changes_are_told() -> None:
    """A renewal is none; another weight is one. A listener that fails takes nothing from the others."""
    await register(port=1)
    pool = Pool()

    def listen(service: str, targets: Targets) -> None:
        pool(service, targets)
        if service == "else":
            raise RuntimeError("on purpose")

    watch = LeaseWatch(listen)
    await watch.start()
    try:
        await register(port=1)
        await register("else", port=2)
        await register("last", port=3)
        await register(port=1, weight=2)
        await pool.holds(lambda: len(pool.told) >= 4)
        assert sorted(service for service, _ in pool.told) == ["else", "last", "orders", "orders"]
    finally:
        await watch.stop()


async def test_news_wake_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over whatever there is: Redis always, PostgreSQL where it is the database."""
    monkeypatch.setattr(leases, "CHANNEL", "torana_leases_test")
    pool = Pool()
    watch = LeaseWatch(pool, poll_s=NEVER_S)
    watch.listen(redis_url=redis_url)
    assert len(watch._poller._heard) == (2 if connection.vendor == "postgresql" else 1)
    bind_redis(redis_url)
    await watch.start()
    try:

        async def until_heard() -> None:
            """The ears open in their own time."""
            port = 0
            while not pool.told:
                port += 1
                await register(port=port)
                await asyncio.sleep(0.05)

        await asyncio.wait_for(until_heard(), 10)
    finally:
        bind_redis(None)
        await watch.stop()


async def test_expiry_needs_a_whole_ttl_of_contact() -> None:
    """What was not renewed while nobody was there has one more ttl; then it goes, and one that is renewed stays."""
    gone, kept = (await register(port=1, ttl_s=1.0)).lease, (await register(port=2, ttl_s=300.0)).lease
    for each in (gone, kept):
        await age(each, 3600)
    async with watched() as (_, pool):
        assert pool.urls() == ["http://orders:1", "http://orders:2"]
        assert 0.5 < await pool.has(2) < 3.0
    stored = await Lease.objects.aget(pk=gone.pk)
    assert (stored.state, stored.ended_why) == ("ended", leases.EXPIRED)


async def test_two_workers_expire_one_lease() -> None:
    """Both learn of it, and it ends once."""
    lease = (await register(port=1, ttl_s=1.0)).lease
    await age(lease, 60)
    async with watched() as (_, one), watched() as (_, other):
        await asyncio.gather(one.has(), other.has())
    assert (await LeaseCount.objects.aget()).number == 2


async def test_an_outage_keeps_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets stay and are marked; when it answers again the ttl begins anew; then changes are followed."""
    lease = (await register(port=1, ttl_s=1.0)).lease
    async with watched() as (watch, pool):
        assert pool.urls() == ["http://orders:1"]
        newest = leases.newest_lately
        failed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def fail(**_seen: int | None) -> int:
            loop.call_soon_threadsafe(failed.set)
            raise OperationalError("connection refused")

        monkeypatch.setattr(leases, "newest_lately", fail)
        await failed.wait()
        await age(lease, 3600)
        failed.clear()
        await failed.wait()
        assert "refused" in watch.database_error
        assert pool.urls() == ["http://orders:1"]
        assert (watch.standing.silent_s or 0) > 0
        assert watch.standing.targets["orders"][0].url == "http://orders:1"
        monkeypatch.setattr(leases, "newest_lately", newest)
        watch.wake()
        assert await pool.has() > 0.5
        assert watch.standing.silent_s is None


async def test_a_start_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uses what VAR_DIR has; once the database answers, what it says counts."""
    await register(port=1)
    gone = (await register("gone", port=2)).lease
    async with watched(var_dir=tmp_path):
        pass
    await leave([gone.pk], by="x", why="x")
    newest = leases.newest_lately
    monkeypatch.setattr(leases, "newest_lately", lambda **_: (_ for _ in ()).throw(OperationalError("away")))
    async with watched(var_dir=tmp_path) as (watch, pool):
        assert (pool.urls(), pool.urls("gone")) == (["http://orders:1"], ["http://orders:2"])
        assert watch.standing.silent_s == float("inf")
        monkeypatch.setattr(leases, "newest_lately", newest)
        watch.wake()
        await pool.has(service="gone")
        assert pool.told[-1] == ("gone", ())
        assert pool.urls() == ["http://orders:1"]
    assert set(LeaseFile(tmp_path).load()) == {"orders"}


async def test_what_cannot_be_kept_is_used_all_the_same(tmp_path: Path) -> None:
    """A folder that is gone costs the file and nothing else."""
    async with watched(var_dir=tmp_path / "gone") as (_, pool):
        await register(port=1)
        await pool.has(1)
        assert not (tmp_path / "gone").exists()


async def test_a_database_that_is_older() -> None:
    """A backup took its place: what it has counts."""
    await register(port=1)
    async with watched() as (watch, pool):
        await Lease.objects.all().adelete()
        await LeaseCount.objects.all().adelete()
        watch.wake()
        await pool.has()
        assert (pool.urls(), watch.database_error) == ([], "")


async def test_checks_end_leases_without_ttl(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails goes while another passes; where all fail, all stay and are marked."""
    verdicts: dict[str, bool | None] = {"http://orders:1": False, "http://orders:2": False}
    clock = [0.0]
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    look = LeaseWatch._look

    def looking(watch: LeaseWatch) -> None:
        look(watch)
        loop.call_soon_threadsafe(looked.set)

    monkeypatch.setattr(LeaseWatch, "_look", looking)
    for port, service in ((1, "orders"), (2, "orders"), (3, "orders"), (4, "else")):
        await register(service, port=port, check_interval_s=1.0)
    async with watched(passes=verdicts.get, poll_s=NEVER_S, clock=lambda: clock[0]) as (
        watch,
        pool,
    ):
        await looked.wait()

        async def at(now: float) -> None:
            """Checks are looked at as the clock goes on; a step stays below what counts as an outage."""
            while clock[0] < now:
                clock[0] += 1.5
                looked.clear()
                watch.wake()
                await looked.wait()

        await at(9.0)
        assert len(watch.standing.failing) == 2
        assert pool.urls() == [f"http://orders:{port}" for port in (1, 2, 3)]
        verdicts |= {"http://orders:2": None, "http://orders:3": True}
        await at(clock[0] + 1.5)  # it ends one,
        await at(clock[0] + 1.5)  # and sees that it is ended
        await pool.has(2, 3)
        assert pool.urls("else") == ["http://orders:4"]
    ended = await Lease.objects.aget(state="ended")
    assert (ended.url, ended.ended_why) == ("http://orders:1", leases.LAPSED)


async def test_ten_thousand(stopwatch: Stopwatch) -> None:
    """Are known at the start and followed within a second; one more costs one row."""
    lease = (await register(port=1)).lease

    def many() -> None:
        Lease.objects.bulk_create(
            [
                Lease(
                    service=f"s{number % 100:02}", url=f"http://10.0.{number // 250}.{number % 250}:80",
                    check_endpoint="/health", check_interval_s=30.0, ttl_s=60.0, consumer="robot",
                    state="approved", created_at=lease.created_at, renewed_at=lease.created_at,
                    expires_at=lease.created_at, changed=1,
                )
                for number in range(10_000)
            ],
            batch_size=1000,
        )  # fmt: skip

    await sync_to_async(many)()
    async with watched() as (watch, pool):
        assert sum(map(len, watch.targets.values())) == 10_001
        await register(port=2)
        assert await stopwatch.of(pool.has(1, 2)) < 1.0
