"""I: The step "how many requests in which time", prepared for each route.

A route's quotas are decided in one step of the store. What is left is told in header fields, on answers that were
allowed as well (RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers, and the older X-RateLimit-…).
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Final, NamedTuple

from authproxy.counting import bucket_key
from authproxy.exchange import Exchange
from authproxy.headers import Pair, Pairs
from authproxy.limited import Limited
from authproxy.rejections import Code, Rejection
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Decision, LimitStore, Verdict

Conclusion = Rejection | None
Plans = Mapping[str, Mapping[str, QuotaPolicy]]
POLICY: Final = "quotas"
MOST_REMEMBERED: Final = 1000
_MOST_POLICIES: Final = 4096
_EMPTY: Final[Mapping[str, QuotaPolicy]] = {}


def _nobody(_charge: Charge, _decision: Decision) -> None:
    """Where nothing is recorded."""


class Limiter:
    """What all routes share: the store, the counts, and who was refused of late."""

    def __init__(
        self, store: LimitStore, *, wall_clock: Callable[[], float], remember: int = MOST_REMEMBERED
    ) -> None:
        self.store = store
        self.decisions: Counter[tuple[str, str]] = Counter()
        """By quota and decision: allowed, refused, would_refuse."""
        self.degraded = 0
        """Decisions that the shared store did not make."""
        self.recent: deque[Limited] = deque(maxlen=remember)
        self.tell: Callable[[Limited], None] = self.recent.append
        """Hears of each request that was refused, or would have been."""
        self.count: Callable[[Charge, Decision], None] = _nobody
        """Hears of each request that a calendar quota allowed, unless the worker decided alone for want of Redis."""
        self.now = wall_clock

    def conclude(
        self, exchange: Exchange, charges: Sequence[Charge], verdict: Verdict, where: str
    ) -> Conclusion:
        """Counts, tells what is left, and refuses where a quota is used up. `where`: the route, or an endpoint."""
        if verdict.degraded:
            self.degraded += 1
        tightest: Decision | None = None
        for charge, decision in zip(charges, verdict.decisions, strict=True):
            policy = decision.policy
            if decision.allowed:
                self.decisions[policy.name, "allowed"] += 1
                if policy.calendar and not verdict.degraded:
                    self.count(charge, decision)
            else:
                self._note(exchange, charge.key, decision, where)
                if not policy.is_enforced:
                    exchange.would = (*exchange.would, (POLICY, _refusal(decision)))
            if policy.is_enforced and (tightest is None or _is_tighter(decision, tightest)):
                tightest = decision
        if tightest is not None:
            exchange.answer_fields = (*exchange.answer_fields, *self._fields(verdict, tightest))
        return None if verdict.allowed or tightest is None else _refusal(tightest)

    def _note(self, exchange: Exchange, caller: str, decision: Decision, where: str) -> None:
        policy = decision.policy
        self.decisions[policy.name, "refused" if policy.is_enforced else "would_refuse"] += 1
        self.tell(
            Limited(
                at=self.now(),
                quota=policy.name,
                caller=caller,
                route=where,
                request_id=exchange.request_id.decode("ascii"),
                limit=policy.limit,
                per_s=policy.per_s,
                retry_after_s=decision.retry_after_s,
                is_enforced=policy.is_enforced,
                calendar=policy.calendar,
            )
        )

    def _fields(self, verdict: Verdict, tightest: Decision) -> Pairs:
        words = _words(tightest.policy)
        policies, left = words.policy, _left(words, tightest)
        if len(verdict.decisions) > 1:
            shown = [(_words(each.policy), each) for each in verdict.decisions if each.policy.is_enforced]
            policies = b", ".join([own.policy for own, _ in shown])
            left = b", ".join([_left(own, each) for own, each in shown])
        return (
            words.limit,
            (b"x-ratelimit-remaining", b"%d" % tightest.remaining),
            (b"x-ratelimit-reset", b"%d" % ceil(self.now() + tightest.reset_s)),
            (b"ratelimit-policy", policies),
            (b"ratelimit", left),
        )


class Limits:
    """One route's step, or one endpoint's. What a plan replaces is worked out once for each plan."""

    __slots__ = ("_by_plan", "_limiter", "_name", "_plans", "_quotas", "_service")

    def __init__(
        self, name: str, quotas: tuple[QuotaPolicy, ...], limiter: Limiter, *, service: str = ""
    ) -> None:
        self._name = name
        self._quotas = quotas
        self._limiter = limiter
        self._service = service
        self._plans: Plans | None = None
        self._by_plan: dict[str, tuple[QuotaPolicy, ...]] = {}

    def limit(self, exchange: Exchange) -> Conclusion | Awaitable[Conclusion]:
        """Counts the request against the quotas."""
        caller = exchange.identity
        quotas = self._quotas
        if caller is not None and caller.plan:
            quotas = self._under_plan(caller.plan, exchange.snapshot.plans)
        method, service = exchange.method, self._service
        charges = [
            Charge(policy, bucket_key(policy, exchange, service=service))
            for policy in quotas
            if not policy.methods or method in policy.methods
        ]
        if not charges:
            return None
        verdict = self._limiter.store.take(charges)
        if isinstance(verdict, Verdict):
            return self._limiter.conclude(exchange, charges, verdict, self._name)
        return self._conclude_later(exchange, charges, verdict)

    async def _conclude_later(
        self, exchange: Exchange, charges: Sequence[Charge], verdict: Awaitable[Verdict]
    ) -> Conclusion:
        return self._limiter.conclude(exchange, charges, await verdict, self._name)

    def _under_plan(self, plan: str, plans: Plans) -> tuple[QuotaPolicy, ...]:
        if plans is not self._plans:
            self._plans, self._by_plan = plans, {}
        found = self._by_plan.get(plan)
        if found is None:
            replaced = plans.get(plan, _EMPTY)
            found = tuple(_replaced(quota, replaced.get(quota.name)) for quota in self._quotas)
            if plan in plans:  # tokens of others may name any plan
                self._by_plan[plan] = found
        return found


def _replaced(quota: QuotaPolicy, by: QuotaPolicy | None) -> QuotaPolicy:
    """What only counts goes on only to count."""
    if by is None:
        return quota
    return by if quota.is_enforced == by.is_enforced else replace(by, is_enforced=quota.is_enforced)


def _is_tighter(one: Decision, other: Decision) -> bool:
    """A refusal before a permission; the longer wait; the less that is left, as a share."""
    if one.allowed != other.allowed:
        return other.allowed
    if not one.allowed:
        return one.retry_after_s > other.retry_after_s
    return one.remaining * other.policy.capacity < other.remaining * one.policy.capacity


class _Words(NamedTuple):
    """What is always said of a policy, which it keeps alive."""

    said_of: QuotaPolicy
    name: bytes
    policy: bytes
    limit: Pair


_known: dict[int, _Words] = {}
"""By the identity of the policy: its hash would cost more than the words."""


def _words(policy: QuotaPolicy) -> _Words:
    found = _known.get(id(policy))
    if found is None:
        if len(_known) >= _MOST_POLICIES:
            _known.clear()
        found = _known[id(policy)] = _words_of(policy)
    return found


def _words_of(policy: QuotaPolicy) -> _Words:
    escaped = policy.name.replace("\\", "\\\\").replace('"', '\\"')
    name = f'"{escaped}"'.encode("ascii", "replace")
    told = b"%b;q=%d;w=%d" % (name, policy.limit, max(1, round(policy.per_s)))
    return _Words(policy, name, told, (b"x-ratelimit-limit", b"%d" % policy.limit))


def _left(words: _Words, decision: Decision) -> bytes:
    return b"%b;r=%d;t=%d" % (words.name, decision.remaining, ceil(decision.reset_s))


def _refusal(decision: Decision) -> Rejection:
    policy = decision.policy
    wait_s = max(1, ceil(decision.retry_after_s))
    retry: Pair = (b"retry-after", b"%d" % wait_s)
    return Rejection(
        Code.RATE_LIMIT,
        f"Too many requests: the quota {policy.name} is used up.",
        details={
            "quota": policy.name,
            "limit": policy.limit,
            "window_s": policy.per_s,
            "retry_after": wait_s,
        },
        headers=(retry,),
    )
