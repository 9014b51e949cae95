"""I: What workers tell each other about a breaker over Redis: one script for every step, one channel for the news."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import orjson

from resilience.breaker import Breaker, Cause, State
from resilience.policies import BreakerPolicy
from resilience.stores.connection import Script

SCRIPT: Final = Script.of(Path(__file__).with_name("breakers.lua").read_text())
CHANNEL: Final = "breakers"


class StoreAway(Exception):  # noqa: N818 - an outage, not an error of the program
    """The shared store did not answer, or not in time."""


class Store(Protocol):
    """What is needed of Redis. It never takes longer than its own short timeout, and connects again by itself."""

    @property
    def is_up(self) -> bool:
        """Whether asking is worth while now."""

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes]) -> Any:
        """Runs a script; raises StoreAway, whatever went wrong."""

    def subscribe(self, channel: str, hear: Callable[[bytes], None]) -> None:
        """From now on `hear` is called with each message, on the event loop."""

    def when_up(self, listener: Callable[[], None]) -> None:
        """Calls `listener` on the event loop each time that the store can be used and is heard (again)."""

    def start(self) -> None:
        """Begins to listen, on the running event loop."""

    async def stop(self) -> None:
        """Ends that."""


class Change(NamedTuple):
    """What is measured became `state`, `age_s` ago."""

    service: str
    before: State
    state: State
    period: int
    age_s: float
    cause: Cause
    requests: int
    failures: int


class Reply(NamedTuple):
    """How the shared breaker stands after a step, and what that step changed."""

    state: State
    period: int
    age_s: float
    cause: Cause
    granted: bool
    requests: int
    failures: int
    changes: tuple[Change, ...]


class Wanted(NamedTuple):
    """Some worker's failures would be enough if there were enough requests: how many did the others see?"""

    service: str


class Ask(NamedTuple):
    """One step. `counts` are ages with requests and failures, under a number so that none is added twice; `done` are
    leases with whether the trial succeeded; `lease` is wanted, if not empty."""

    counts: tuple[tuple[float, int, int], ...] = ()
    batch: int = 0
    done: tuple[tuple[str, bool], ...] = ()
    lease: str = ""


class SharedBreakers:
    """Asks the store in the name of one worker. `prefix` keeps gateways apart that share a Redis."""

    def __init__(self, store: Store, *, worker: str, prefix: str = "torana:") -> None:
        self._store = store
        self.worker = worker
        self._prefix = prefix
        self._channel = prefix + CHANNEL

    @property
    def is_up(self) -> bool:
        """Whether others can be asked."""
        return self._store.is_up

    def listen(self, hear: Callable[[Change | Wanted], None], when_up: Callable[[], None]) -> None:
        """`hear` is told what other workers caused, `when_up` that the others may know more than this one."""

        def read(message: bytes) -> None:
            news = read_news(message, worker=self.worker)
            if news is not None:
                hear(news)

        self._store.subscribe(self._channel, read)
        self._store.when_up(when_up)
        self._store.start()

    async def stop(self) -> None:
        """Hears no more."""
        await self._store.stop()

    async def step(self, service: str, breaker: Breaker, cause: Cause, ask: Ask, *, now: float) -> Reply:
        """One step of one service; raises StoreAway. `cause` is why what is measured is as it is."""
        key = f"{self._prefix}breaker:{{{service}}}"
        question = {
            "service": service,
            "worker": self.worker,
            "channel": self._channel,
            **_view(breaker, cause, now),
            **_policy(breaker.policy),
            "counts": [(age_s * 1000, requests, failures) for age_s, requests, failures in ask.counts],
            "batch": str(ask.batch),
            "done": ask.done,
            "lease": ask.lease,
        }
        keys = (key, f"{key}:counts", f"{key}:trials")
        answer = await self._store.run(SCRIPT, keys, (orjson.dumps(question),))
        try:
            return read_reply(service, answer)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreAway(f"an answer that makes no sense: {error}") from error


def read_reply(service: str, answer: bytes | str) -> Reply:
    """What the script answers."""
    found = orjson.loads(answer)
    return Reply(
        State(found["state"]),
        int(found["period"]),
        found["age_ms"] / 1000,
        Cause(found["cause"]),
        found["granted"],
        int(found["requests"]),
        int(found["failures"]),
        tuple(_change(service, change) for change in found.get("changes", ())),
    )


def read_news(message: bytes, *, worker: str) -> Change | Wanted | None:
    """A message of the channel; None for one's own, and for what another version says."""
    try:
        found = orjson.loads(message)
        if found["worker"] == worker:
            return None
        return Wanted(found["service"]) if "wanted" in found else _change(found["service"], found)
    except (ValueError, KeyError, TypeError):
        return None


def _change(service: str, found: Any) -> Change:
    return Change(
        service,
        State(found["before"]),
        State(found["state"]),
        int(found["period"]),
        found["age_ms"] / 1000,
        Cause(found["cause"]),
        int(found["requests"]),
        int(found["failures"]),
    )


def _view(breaker: Breaker, cause: Cause, now: float) -> dict[str, Any]:
    return {
        "state": breaker.measured,
        "period": breaker.period,
        "age_ms": round(max(0.0, now - breaker.since) * 1000),
        "cause": cause,
        "restored": Cause.RESTORED,
        "too_many": Cause.FAILURES,
        "enough": Cause.TRIALS_PASSED,
    }


def _policy(policy: BreakerPolicy) -> dict[str, float]:
    return {
        "failure_threshold": policy.failure_threshold,
        "min_throughput": policy.min_throughput,
        "window_ms": policy.failure_window_s * 1000,
        "half_open_requests": policy.half_open_requests,
        "half_open_timeout_ms": policy.half_open_timeout_s * 1000,
    }
