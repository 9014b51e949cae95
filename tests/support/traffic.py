"""I: A data plane whose limits and breakers a test may look into and whose time it may move on."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, repeat
from random import Random
from typing import Any

import orjson
import pytest

from authproxy.limiting import Limiter
from authproxy.plan import Doors, prepare_route
from authproxy.services import ServiceRuntime, Upstreams
from resilience.breakers import Breakers
from resilience.clock import monotonic
from resilience.concurrency import LimitTable
from resilience.state import StateTable
from resilience.stores.memory import MemoryStore
from routing.compiler import CompileOptions
from routing.traffic import NO_DEFAULTS, TrafficDefaults
from tests.support.callers import Callers, gatekeeper
from tests.support.gateway import Answer, DataPlane, RawClient, serving
from tests.support.upstreams import Peer, ReceivedRequest, ScriptedUpstream, response

EPOCH_S = 1_800_000_000
"""Where the wall clock of limits begins: at the beginning of an hour and of a window of any usual length."""
KNOWS_TIME = ("authproxy.pipeline.monotonic", "authproxy.forwarder.monotonic", "authproxy.services.monotonic")


class Time:
    """Goes on by itself for requests and breakers, and stands still for limits; `pass_s` moves both on."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def pass_s(self, seconds: float) -> None:
        self.passed_s += seconds

    def monotonic(self) -> float:
        return monotonic() + self.passed_s

    def wall_clock(self) -> float:
        return EPOCH_S + self.passed_s

    def epoch_us(self) -> int:
        return EPOCH_S * 1_000_000 + round(self.passed_s * 1_000_000)


@dataclass
class TrafficPlane(DataPlane):
    """As `gateway_project.traffic` puts it together, without Redis and without rows."""

    time: Time = field(default_factory=Time)
    defaults: TrafficDefaults = NO_DEFAULTS

    def __post_init__(self) -> None:
        super().__post_init__()
        rng = Random(1)
        self.limiter = Limiter(MemoryStore(now_us=self.time.epoch_us), wall_clock=self.time.wall_clock)
        self.breakers = Breakers(worker="w", clock=self.time.monotonic, wall_clock=self.time.wall_clock)
        self.upstreams = Upstreams(StateTable(), rng=rng, breakers=self.breakers)
        self.doors = Doors(self.gatekeeper, self.limiter, crowds=LimitTable(), rng=rng)

    def options(self) -> CompileOptions:
        plan = partial(prepare_route, doors=self.doors)
        return replace(super().options(), prepare_route=plan, traffic=self.defaults)

    def service(self, name: str = "s") -> ServiceRuntime:
        """What this moment's snapshot has of a service."""
        found: ServiceRuntime = self._current().services[name].runtime
        return found

    def breaker(self, name: str = "s") -> str:
        """The state of a service's breaker."""
        guard = self.service(name).breaker
        assert guard is not None
        return str(guard.state)

    async def ask(self, path: str = "/", *headers: str, **options: Any) -> Answer:
        """One request on a connection of its own."""
        async with RawClient(self.port) as client:
            return await client.get(path, "Connection: close", *headers, **options)

    async def statuses(self, count: int, path: str = "/", *headers: str, **options: Any) -> list[int]:
        """Of so many requests, one after the other on one connection."""
        async with RawClient(self.port) as client:
            return [(await client.get(path, *headers, **options)).status for _ in range(count)]


@asynccontextmanager
async def traffic(
    raw: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    callers: Callers | None = None,
    defaults: TrafficDefaults = NO_DEFAULTS,
    trusted_proxies: tuple[str, ...] = (),
) -> AsyncIterator[TrafficPlane]:
    """Serve `raw`, with the callers that a test knows."""
    plane = TrafficPlane(gatekeeper=gatekeeper(callers), defaults=defaults, trusted_proxies=trusted_proxies)
    for name in KNOWS_TIME:
        monkeypatch.setattr(name, plane.time.monotonic)
    async with serving(plane, raw):
        yield plane


class Upstream(ScriptedUpstream):
    """Answers with the next of `statuses`, and with 200 when there are no more; keeps what it received.

    A status of 0 closes the connection without an answer; requests are held while `holds` is set.
    """

    def __init__(self, *statuses: int, name: str = "", always: int = 200, headers: Any = ()) -> None:
        super().__init__(self._answer_all)
        self._statuses: Iterator[int] = chain(statuses, repeat(always))
        self._body = name.encode()
        self._headers = headers
        self.requests: list[ReceivedRequest] = []
        self.holds = False
        self.release = asyncio.Event()
        self.came = asyncio.Condition()

    def then(self, *statuses: int, always: int = 200) -> None:
        """What it answers from now on."""
        self._statuses = chain(statuses, repeat(always))

    async def until_asked(self, count: int) -> None:
        """Waits until so many requests have come in all."""
        async with asyncio.timeout(10), self.came:
            await self.came.wait_for(lambda: len(self.requests) >= count)

    async def _answer_all(self, peer: Peer) -> None:
        while True:
            self.requests.append(await peer.request())
            async with self.came:
                self.came.notify_all()
            if self.holds:
                await self.release.wait()
            status = next(self._statuses)
            if not status:
                peer.reset()
                return
            await peer.send(response(self._body, status=f"{status} Told", headers=self._headers))


def quotas(*entries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The document's section, and other sections beside it."""
    return {"quotas": [dict(entry) for entry in entries], **more}


def error(answer: Answer) -> dict[str, Any]:
    """What the envelope says."""
    found: dict[str, Any] = orjson.loads(answer.body)["error"]
    return found


def counted(values: Iterable[Any]) -> dict[Any, int]:
    """How often each occurs."""
    found: dict[Any, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found
