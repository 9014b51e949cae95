"""P: Recorded requests counted by a configuration's quotas, in the order of their times, as its limiter would.

Only requests that were kept are counted, from nothing: others took of the same quotas. So what is refused here would be
refused, and more may be. What is counted by something that was not kept of a request is not counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authproxy.counting import bucket_key
from observability.replay.recorded import Recorded
from resilience.limiter import SECOND_US, Meter, Meters, State
from resilience.policies import QuotaPolicy
from routing.snapshot import CompiledRoute, Snapshot, service_of

_KEY_ID: Final = "api_key"
_HEADER: Final = "header:"


@dataclass(frozen=True, slots=True)
class Refusals:
    """`refused` of `counted` requests, by the quota that would have refused each; `uncounted` had a quota that goes
    by what was not kept."""

    counted: int = 0
    uncounted: int = 0
    refused: int = 0
    by_quota: Mapping[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "counted": self.counted,
            "not_counted": self.uncounted,
            "refused_at_least": self.refused,
            "by_quota": [
                {"quota": name, "requests": count}
                for name, count in sorted((self.by_quota or {}).items(), key=lambda each: (-each[1], each[0]))
            ],
        }

    def sentence(self) -> str:
        """For people; empty where no request has a quota."""
        if not self.counted and not self.uncounted:
            return ""
        which = ", ".join(f"{each['requests']} by {each['quota']}" for each in self.as_json()["by_quota"])
        said = f"Quotas would refuse at least {self.refused} of {self.counted} with 429"
        said += f" ({which})" if which else ""
        said += ": only kept requests are counted, each quota from nothing, so that it may be more."
        return f"{said} Not counted: {self.uncounted}." if self.uncounted else said


NOTHING_COUNTED: Final = Refusals()


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one quota counts requests, and what must have been kept of them."""

    meter: Meter
    fields: tuple[bytes, ...]
    has_key_id: bool
    """It counts by the API key, which is not kept."""


class Counting:
    """Takes requests in any order; `refusals` counts them in that of time."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._requests: list[tuple[int, int, list[tuple[Meter, str]]]] = []
        self._uncounted = 0
        self._meters = Meters()
        self._rules: dict[tuple[int, str, str], _Rule | None] = {}
        """By the identity of a quota, which the snapshot keeps alive, by method and by plan."""

    def add(self, recorded: Recorded, at: datetime, route: CompiledRoute) -> None:
        """One that came so far as to be counted."""
        caller = recorded.caller
        method, plan = recorded.request.method, caller.plan if caller is not None else ""
        rules = [rule for each in route.quotas if (rule := self._rule(each, method, plan)) is not None]
        if not rules:
            return
        if _is_lost(recorded, rules):
            self._uncounted += 1
            return
        request, service = _Countable(recorded, route), service_of(route.destination) or ""
        charges = [
            (rule.meter, rule.meter.prefix + bucket_key(rule.meter.policy, request, service=service))
            for rule in rules
        ]
        self._requests.append((round(at.timestamp() * SECOND_US), -len(self._requests), charges))

    def refusals(self) -> Refusals:
        """By nobody else's requests, and nothing taken before."""
        states: dict[str, State] = {}
        by_quota: Counter[str] = Counter()
        refused = 0
        for now, _, charges in sorted(self._requests):  # the second number is no other's
            if found := _charged(charges, states, now):
                refused += 1
                by_quota[found] += 1
        return Refusals(len(self._requests), self._uncounted, refused, by_quota)

    def _rule(self, policy: QuotaPolicy, method: str, plan: str) -> _Rule | None:
        key = (id(policy), method, plan)
        if key not in self._rules:
            self._rules[key] = self._made(policy, method, plan)
        return self._rules[key]

    def _made(self, policy: QuotaPolicy, method: str, plan: str) -> _Rule | None:
        """None: it refuses no such request."""
        if not policy.is_enforced or (policy.methods and method not in policy.methods):
            return None
        policy = self._snapshot.plans.get(plan, {}).get(policy.name, policy)
        if not policy.is_enforced:
            return None
        fields = tuple(_field(key) for key in policy.keys if key.startswith(_HEADER))
        return _Rule(self._meters.of(policy), fields, _KEY_ID in policy.keys)


def _charged(charges: Sequence[tuple[Meter, str]], states: dict[str, State], now: int) -> str:
    """The name of the quota that refuses the request; else all are charged."""
    taken = [(bucket, meter.consume(states.get(bucket), now)) for meter, bucket in charges]
    for (meter, _), (_, found) in zip(charges, taken, strict=True):
        if found[3]:
            return meter.policy.name
    for bucket, (state, *_) in taken:
        if state is not None:
            states[bucket] = state
    return ""


def _is_lost(recorded: Recorded, rules: Sequence[_Rule]) -> bool:
    """Whether one counts by something that was not kept."""
    caller = recorded.caller
    if caller is None and not recorded.request.address:
        return True
    has_key = caller is not None and caller.method == "api_key"
    for rule in rules:
        if has_key and rule.has_key_id:
            return True
        if rule.fields and any(recorded.lacks_field(name, value=True) for name in rule.fields):
            return True
    return False


def _field(key: str) -> bytes:
    return key.removeprefix(_HEADER).lower().encode("ascii")


class _Countable:
    """What `bucket_key` looks at of an exchange."""

    __slots__ = ("_recorded", "client_ip", "identity", "route")

    def __init__(self, recorded: Recorded, route: CompiledRoute) -> None:
        self._recorded = recorded
        self.identity, self.route, self.client_ip = recorded.caller, route, recorded.request.address

    @property
    def origin(self) -> "_Countable":
        """Where the request came from."""
        return self

    @property
    def scope(self) -> Mapping[str, Any]:
        """Its header fields."""
        return {"headers": self._recorded.request.headers}
