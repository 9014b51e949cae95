"""I: Targets that answer checks as a test wants, and workers that check them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

from resilience.health import Answer, Failure
from resilience.leader import Leader
from resilience.policies import HealthPolicy
from resilience.prober import Prober, Watched
from resilience.state import ServiceState
from resilience.stores.connection import RedisLink
from resilience.stores.leases import RedisLease
from resilience.stores.news import RedisNews
from resilience.stores.verdicts import SharedVerdicts
from resilience.verdicts import Verdict
from tests.support.breakers import unique_prefix

URL = "http://10.0.0.{}:80"


class Targets:
    """What they answer; `asked` counts, `peak` is how many were asked at a time."""

    def __init__(self) -> None:
        self.sick: set[str] = set()
        self.hanging: set[str] = set()
        self.raising: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.askers: Counter[str] = Counter()
        self.under_way = self.peak = 0

    async def probe(self, service: str, target: str, path: str, timeout_s: float) -> Answer | Failure:
        self.asked[target] += 1
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        try:
            if target in self.hanging:
                await asyncio.Event().wait()
            if target in self.raising:
                raise ValueError("not \udc80 text")
            return Failure("refused") if target in self.sick else Answer(200, b"", 0.001)
        finally:
            self.under_way -= 1


def service(number: int = 3, *, name: str = "shop", **policy: Any) -> dict[str, Watched]:
    """A service of so many targets, as a prober watches it."""
    state = ServiceState(name)
    urls = tuple(URL.format(each) for each in range(number))
    state.settle(urls)
    policy = {"interval_s": 1.0, "timeout_s": 0.5, "unhealthy_after": 2} | policy
    return {name: Watched(HealthPolicy(**policy), urls, state)}


class Worker:
    """A worker's prober, over a real Redis, and its own view of the targets."""

    def __init__(self, url: str, prefix: str, name: str, targets: Targets, **policy: Any) -> None:
        self.name = name
        self.targets = targets
        self.told: list[tuple[Verdict, bool]] = []
        self.link = RedisLink(url, rng=Random(1))
        lease = RedisLease(self.link, "probing", prefix=prefix)
        self.leader = Leader(lease, holder=name, rng=Random(2), ttl_s=0.6, leads_alone=True)
        self.watched = service(**({"interval_s": 0.1} | policy))
        self.state = self.watched["shop"].state
        self.prober = Prober(
            self._probe,
            node=name,
            leader=self.leader,
            rng=Random(3),
            shared=SharedVerdicts(RedisNews(self.link, url), prefix=prefix),
        )
        self.prober.on_verdict(lambda verdict, changed: self.told.append((verdict, changed)))

    async def _probe(self, service: str, target: str, path: str, timeout_s: float) -> Answer | Failure:
        self.targets.askers[self.name] += 1
        return await self.targets.probe(service, target, path, timeout_s)

    async def start(self) -> None:
        await self.link.start()
        await self.leader.start()
        self.prober.watch(self.watched)
        self.prober.start()

    async def stop(self) -> None:
        await self.prober.stop()
        await self.leader.stop()
        await self.link.stop()

    def health(self, number: int = 0) -> bool | None:
        """What pools of this worker know of a target."""
        return self.state.target(URL.format(number)).healthy


@asynccontextmanager
async def workers(
    url: str, number: int, targets: Targets, *, prefix: str = "", first: int = 0, **policy: Any
) -> AsyncIterator[list[Worker]]:
    """Started one after the other, so that the first one leads."""
    prefix = prefix or unique_prefix()
    async with AsyncExitStack() as stack:
        found = [Worker(url, prefix, f"worker-{first + each}", targets, **policy) for each in range(number)]
        for each in found:
            await each.start()
            stack.push_async_callback(each.stop)
        yield found
