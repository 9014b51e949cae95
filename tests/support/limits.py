"""I: Loads a quota's store from several event loops and compares what it admits with what it should."""

import asyncio
import multiprocessing
import time
from random import Random
from typing import Final, NamedTuple

from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Verdict
from resilience.stores.connection import RedisLink
from resilience.stores.redis import RedisStore

CALLERS: Final = 16
START_S: Final = 3.0


class Admitted(NamedTuple):
    """Exact is a full bucket for each key, and what flowed into it between the first and the last request."""

    asked: int
    admitted: int
    exact: float
    degraded: int


class Load(NamedTuple):
    """What each worker does from `begin` on, a moment of the wall clock."""

    url: str
    prefix: str
    limit: int
    keys: int
    seconds: float
    rate: float
    begin: float


class Share(NamedTuple):
    asked: int
    admitted: int
    degraded: int
    first: float
    last: float


def admitted_exactly(
    url: str, *, limit: int, keys: int, seconds: float, load: float, prefix: str, workers: int = 2
) -> Admitted:
    """Workers, each a process with a store of its own, at `load` times the limit."""
    rate = limit * keys * load / workers
    given = Load(url, prefix, limit, keys, seconds, rate, time.time() + START_S)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        shares = pool.map(_worker, [given] * workers, chunksize=1)
    lasted = max(share.last for share in shares) - min(share.first for share in shares)
    return Admitted(
        sum(share.asked for share in shares),
        sum(share.admitted for share in shares),
        keys * (limit + limit * lasted),
        sum(share.degraded for share in shares),
    )


def _worker(load: Load) -> Share:
    return asyncio.run(_loaded(load))


async def _loaded(load: Load) -> Share:
    link = RedisLink(
        load.url, rng=Random(1), timeout_s=1.0
    )  # this machine may be busy; Redis is not what is tried
    await link.start()
    store = RedisStore(link, prefix=load.prefix)
    policy = QuotaPolicy("exact", load.limit, 1.0)
    await asyncio.sleep(load.begin - time.time())
    first = time.time()
    verdicts = await asyncio.gather(*(_caller(store, policy, load, number) for number in range(CALLERS)))
    last = time.time()
    await store.stop()
    await link.stop()
    found = [verdict for each in verdicts for verdict in each]
    admitted = sum(verdict.allowed for verdict in found)
    return Share(len(found), admitted, sum(verdict.degraded for verdict in found), first, last)


async def _caller(store: RedisStore, policy: QuotaPolicy, load: Load, number: int) -> list[Verdict]:
    """Asks at its share of the rate, for one key after the other."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    found: list[Verdict] = []
    while loop.time() - began < load.seconds:
        taken = store.take([Charge(policy, f"consumer:{(number + len(found)) % load.keys}")])
        found.append(taken if isinstance(taken, Verdict) else await taken)
        await asyncio.sleep(max(began + len(found) * CALLERS / load.rate - loop.time(), 0.0))
    return found
