"""What holds traffic in check in one worker, alone and with a real Redis."""

from pathlib import Path

import pytest

from gateway_project.traffic import Traffic
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Verdict
from tests.support.callers import gatekeeper

CHARGE = Charge(QuotaPolicy("test_traffic", 5, 60.0), "consumer:ada")


def worker(name: str, worker: str, redis_url: str | None, *, workers: int = 1) -> Traffic:
    """One that has no database."""
    return Traffic(
        name=name,
        worker=worker,
        redis_url=redis_url,
        gatekeeper=gatekeeper(),
        current=lambda: None,
        close_later=lambda _transport: None,
        database=False,
        var_dir=Path(),
        workers=workers,
    )


async def test_alone_everything_is_decided_at_once() -> None:
    """Without Redis there is nothing to wait for."""
    traffic = worker("alone", "w", None)
    await traffic.start()
    verdict = traffic.limiter.store.take([CHARGE])
    await traffic.stop()

    assert isinstance(verdict, Verdict)
    assert (verdict.allowed, verdict.degraded) == (True, False)


@pytest.mark.parametrize(("url", "expected"), [("redis://127.0.0.1:1/0", 2), (None, 5)])
async def test_share_of_a_worker(url: str | None, expected: int) -> None:
    """One of three admits a third, rounded up, while Redis is away; without any Redis it is alone."""
    traffic = worker("shared", "w", url, workers=3)
    await traffic.start()
    found = [traffic.limiter.store.take([CHARGE]) for _ in range(6)]
    await traffic.stop()

    assert sum(isinstance(verdict, Verdict) and verdict.allowed for verdict in found) == expected


@pytest.mark.store
async def test_two_workers_count_together(redis_url: str) -> None:
    """Over Redis; a worker whose Redis is away counts alone, and says so."""
    workers = [
        worker("test_traffic", name, url)
        for name, url in (("a", redis_url), ("b", redis_url), ("c", "redis://127.0.0.1:1/0"))
    ]
    left = []
    for traffic in workers:
        await traffic.start()
        verdict = traffic.limiter.store.take([CHARGE])
        if not isinstance(verdict, Verdict):
            verdict = await verdict
        left.append((verdict.decisions[0].remaining, verdict.degraded))
    for traffic in workers:
        await traffic.stop()

    assert left[0][0] == left[1][0] + 1
    assert [degraded for _, degraded in left] == [False, False, True]
