"""P: Recorded requests counted by a configuration's quotas, in the order of their times, as its limiter would.

Only requests that were kept are counted, from nothing: others took of the same quotas. So what is refused here would be
refused, and more may be. What is counted by something that was not kept of a request is not counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
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


class Counting:
    """Takes requests in any order; `refusals` counts them in that of time."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._requests: list[tuple[int, int, list[tuple[QuotaPolicy, str]]]] = []
        self._uncounted = 0

    def add(self, recorded: Recorded, at: datetime, route: CompiledRoute) -> None:
        """One that came so far as to be counted."""
        policies = [each for each in self._policies(recorded, route) if each.is_enforced]
        if not policies:
            return
        if any(_is_lost(recorded, policy) for policy in policies):
            self._uncounted += 1
            return
        service = service_of(route.destination) or ""
        request = _countable(recorded, route)
        charges = [(policy, bucket_key(policy, request, service=service)) for policy in policies]
        self._requests.append((round(at.timestamp() * SECOND_US), -len(self._requests), charges))

    def refusals(self) -> Refusals:
        """By nobody else's requests, and nothing taken before."""
        meters, states = Meters(), dict[str, State]()
        by_quota: Counter[str] = Counter()
        refused = 0
        for now, _, charges in sorted(self._requests, key=lambda each: each[:2]):
            found = _charged([(meters.of(policy), key) for policy, key in charges], states, now)
            refused += bool(found)
            if found:
                by_quota[found] += 1
        return Refusals(len(self._requests), self._uncounted, refused, by_quota)

    def _policies(self, recorded: Recorded, route: CompiledRoute) -> Sequence[QuotaPolicy]:
        plan = recorded.caller.plan if recorded.caller is not None else ""
        replaced = self._snapshot.plans.get(plan, {})
        return [
            replaced.get(policy.name, policy) if policy.is_enforced else policy
            for policy in route.quotas
            if not policy.methods or recorded.request.method in policy.methods
        ]


def _charged(entries: Sequence[tuple[Meter, str]], states: dict[str, State], now: int) -> str:
    """The name of the quota that refuses the request; else all are charged."""
    taken = [
        (meter, meter.prefix + key, meter.consume(states.get(meter.prefix + key), now))
        for meter, key in entries
    ]
    refusing = next((meter.policy.name for meter, _, found in taken if found[3]), "")
    for _, bucket, (state, *_) in taken:
        if state is not None and not refusing:
            states[bucket] = state
    return refusing


def _is_lost(recorded: Recorded, policy: QuotaPolicy) -> bool:
    """Whether it counts by something that was not kept."""
    for key in policy.keys:
        if key == _KEY_ID and recorded.caller is not None and recorded.caller.method == "api_key":
            return True
        if key.startswith(_HEADER):
            name = key.removeprefix(_HEADER).lower().encode("ascii")
            if recorded.lacks_field(name, value=True):
                return True
    return not recorded.request.address and recorded.caller is None


def _countable(recorded: Recorded, route: CompiledRoute) -> Any:
    """What `bucket_key` looks at of an exchange."""
    origin = SimpleNamespace(client_ip=recorded.request.address)
    scope = {"headers": recorded.request.headers}
    return SimpleNamespace(identity=recorded.caller, route=route, origin=origin, scope=scope)
