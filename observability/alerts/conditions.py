"""P: What somebody should be told of, as it stands at one moment, and what that changes of what they were told.

A condition is what is wrong now; an incident is what was told of it. Both go by the same key, so that one incident is
told twice, when it begins and when it ends, however many workers see it and however often.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

BREAKER, TARGET, BURN = "breaker", "target", "slo"
CERTIFICATE, REVISION, SCHEDULE = "certificate", "revision", "schedule"
KINDS: Final = {
    BREAKER: "A circuit breaker is open",
    TARGET: "A target is down",
    BURN: "An error budget burns too fast",
    CERTIFICATE: "A certificate expires",
    REVISION: "A node refused a revision",
    SCHEDULE: "A scheduled change could not be made",
}
WARNING, CRITICAL = "warning", "critical"
MOST: Final = 1000
"""Conditions of one kind; what is beyond is told of when there is room."""


class Condition(NamedTuple):
    """Something that is wrong. `key` says which incident it is, below its kind."""

    kind: str
    key: str
    subject: str
    summary: str
    severity: str = WARNING
    details: Mapping[str, Any] = {}

    @property
    def identity(self) -> tuple[str, str]:
        return self.kind, self.key


class Changes(NamedTuple):
    """What there is to tell."""

    begun: list[Condition]
    ended: list[tuple[str, str]]


def changes(
    told: Collection[tuple[str, str]], now: Iterable[Condition], looked_at: Collection[str]
) -> Changes:
    """`told` are the incidents that go on. Kinds that nobody could look at stay as they are."""
    conditions: dict[tuple[str, str], Condition] = {}
    counted: dict[str, int] = {}
    for each in now:
        if each.identity not in conditions and counted.get(each.kind, 0) < MOST:
            conditions[each.identity] = each
            counted[each.kind] = counted.get(each.kind, 0) + 1
    begun = [each for identity, each in conditions.items() if identity not in told]
    ended = [identity for identity in told if identity[0] in looked_at and identity not in conditions]
    return Changes(begun, sorted(ended))
