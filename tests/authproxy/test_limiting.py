"""Quotas of routes: who is refused, what is told of what is left, and what plans replace."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.identity import Identity
from authproxy.limiting import Limiter, Limits
from authproxy.rejections import Code, Rejection
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, LimitStore, Verdict
from resilience.stores.memory import MemoryStore

NOW = 1_800_000_000.25
TWO = QuotaPolicy("two", 2, 60.0)
FIVE = QuotaPolicy("five", 5, 3600.0, algorithm="fixed_window")
GOLD = {"gold": {"two": replace(TWO, limit=4)}}


class Later:
    """A store whose answers must be awaited."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def take(self, charges: Sequence[Charge]) -> Awaitable[Verdict]:
        async def answer() -> Verdict:
            return self._store.take(charges)._replace(degraded=True)

        return answer()


class Desk:
    """A route with quotas, and its answers."""

    def __init__(self, *quotas: QuotaPolicy, later: bool = False) -> None:
        store = MemoryStore(now_us=lambda: int(NOW * 1e6))
        shown: LimitStore = Later(store) if later else store
        self.would: list[Any] = []
        self.limiter = Limiter(shown, wall_clock=lambda: NOW, remember=3)
        route: Any = SimpleNamespace(name="r")
        self._route = route
        self._limits = Limits("r", quotas, self.limiter)

    async def ask(
        self, consumer: str = "ada", *, plan: str = "", method: str = "GET", plans: Any = GOLD
    ) -> tuple[Rejection | None, dict[str, str]]:
        """The refusal, and what the answer tells."""
        exchange: Any = SimpleNamespace(
            identity=Identity(method="jwt", consumer=consumer, plan=plan),
            method=method,
            route=self._route,
            snapshot=SimpleNamespace(plans=plans),
            origin=SimpleNamespace(client_ip="1.2.3.4"),
            request_id=b"id",
            answer_fields=(),
            would=(),
        )
        refusal = self._limits.limit(exchange)
        if isinstance(refusal, Awaitable):
            refusal = await refusal
        self.would += exchange.would
        return refusal, {name.decode(): value.decode() for name, value in exchange.answer_fields}


@pytest.mark.parametrize("later", [False, True])
async def test_what_is_left_is_told_until_nothing_is(later: bool) -> None:
    """On answers that were allowed as well."""
    desk = Desk(TWO, later=later)
    _, first = await desk.ask()
    assert first == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "1800000031",
        "ratelimit-policy": '"two";q=2;w=60',
        "ratelimit": '"two";r=1;t=30',
    }
    await desk.ask()
    refusal, told = await desk.ask()

    assert refusal is not None
    assert (refusal.code, refusal.status) == (Code.RATE_LIMIT, 429)
    assert refusal.details == {"quota": "two", "limit": 2, "window_s": 60.0, "retry_after": 30}
    assert refusal.headers == ((b"retry-after", b"30"),)
    assert told["x-ratelimit-remaining"] == "0"
    assert (await desk.ask("eve"))[0] is None
    assert desk.limiter.decisions == {("two", "allowed"): 3, ("two", "refused"): 1}
    assert desk.limiter.degraded == (4 if later else 0)


async def test_who_was_refused_is_remembered() -> None:
    """As many of the latest as fit."""
    desk = Desk(replace(TWO, limit=1))
    for consumer in ("ada", "ada", "eve", "eve", "ada", "bob", "bob"):
        await desk.ask(consumer)

    assert [(each.caller, each.route, each.quota) for each in desk.limiter.recent] == [
        ("consumer:eve", "r", "two"),
        ("consumer:ada", "r", "two"),
        ("consumer:bob", "r", "two"),
    ]
    assert desk.limiter.recent[0].retry_after_s == pytest.approx(60.0)
    assert (desk.limiter.recent[0].at, desk.limiter.recent[0].request_id) == (NOW, "id")


async def test_tightest_quota_is_shown_and_the_longest_wait_told() -> None:
    """Of several; each has its own place in RateLimit."""
    desk = Desk(FIVE, replace(TWO, burst=20))
    _, told = await desk.ask()
    assert told["x-ratelimit-limit"] == "5"
    assert told["ratelimit-policy"] == '"five";q=5;w=3600, "two";q=2;w=60'
    assert told["ratelimit"].startswith('"five";r=4;t=')

    both = Desk(replace(TWO, limit=1), replace(FIVE, limit=1))
    await both.ask()
    refusal, _ = await both.ask()
    assert refusal is not None
    assert refusal.details["quota"] in ("two", "five")
    assert refusal.details["retry_after"] == max(
        int(-(-each.retry_after_s // 1)) for each in both.limiter.recent
    )


async def test_quota_that_is_only_logged_counts_and_lets_pass() -> None:
    """Nobody is told of it."""
    desk = Desk(replace(TWO, limit=1, is_enforced=False))
    answers = [await desk.ask() for _ in range(3)]

    assert answers == [(None, {})] * 3
    assert desk.limiter.decisions == {("two", "allowed"): 1, ("two", "would_refuse"): 2}
    told = [(policy, refusal.code, refusal.details["quota"]) for policy, refusal in desk.would]
    assert told == [("quotas", Code.RATE_LIMIT, "two")] * 2
    assert [each.is_enforced for each in desk.limiter.recent] == [False, False]


async def test_plan_replaces_the_quota_of_its_name() -> None:
    """A plan that is not there replaces nothing; another configuration's plan counts at once."""
    desk = Desk(TWO, FIVE)
    _, told = await desk.ask(plan="gold")
    assert told["ratelimit-policy"].startswith('"two";q=4;w=60')
    _, told = await desk.ask("eve", plan="silver")
    assert told["ratelimit-policy"].startswith('"two";q=2;w=60')
    _, told = await desk.ask("bob", plan="gold", plans={"gold": {"two": replace(TWO, limit=9)}})
    assert told["ratelimit-policy"].startswith('"two";q=9;w=60')


async def test_plan_leaves_a_logged_quota_logged() -> None:
    """The route says whether it counts only."""
    desk = Desk(replace(TWO, is_enforced=False))
    assert [(await desk.ask(plan="gold"))[0] for _ in range(6)] == [None] * 6


async def test_only_the_methods_of_a_quota_count() -> None:
    """Read and write budgets are two quotas."""
    desk = Desk(replace(TWO, limit=1, methods=frozenset({"POST"})))
    assert [await desk.ask(method="GET") for _ in range(2)] == [(None, {})] * 2
    assert (await desk.ask(method="POST"))[0] is None
    assert (await desk.ask(method="POST"))[0] is not None


async def test_names_that_need_quoting() -> None:
    """RFC 9651 section 3.3.3."""
    _, told = await Desk(replace(TWO, name='a"b\\c')).ask()
    assert told["ratelimit-policy"] == r'"a\"b\\c";q=2;w=60'


@pytest.mark.parametrize(("later", "heard"), [(False, [1, 0]), (True, [])])
async def test_calendar_quotas_are_heard_of(later: bool, heard: list[int]) -> None:
    """Each request that one allowed, unless the worker decided alone; others are counted nowhere else."""
    day = QuotaPolicy("day", 2, 86_400.0, algorithm="fixed_window", calendar="day")
    desk = Desk(day, replace(TWO, limit=9), later=later)
    found: list[tuple[str, int]] = []
    desk.limiter.count = lambda charge, decision: found.append((charge.key, decision.remaining))
    for _ in range(3):
        await desk.ask()

    assert found == [("consumer:ada", remaining) for remaining in heard]
