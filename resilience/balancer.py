"""P: The targets of a service, of which each attempt takes one that is available. Times are of the monotonic clock.

Available are those that are neither unhealthy, nor ejected, nor draining. Of these the first group that has any is
used: ordinary ones in the gateway's own zone, ordinary ones elsewhere, backups in the zone, other backups. An attempt
that has tried all of a group goes on with the next group.

When none is available, those that are merely ejected are used: ejection alone never leaves a service without a target.
When there are none either, `panic` tries all but those that drain: an operator's word holds, measurements may be
wrong. Without it nobody is tried.
"""

from collections.abc import Collection, Sequence
from math import inf
from typing import Final, NamedTuple

from resilience.picking import ALGORITHMS, Chance, Crew
from resilience.policies import BalancingPolicy
from resilience.state import ServiceState, TargetState

RAMP_STEPS: Final = 64
FIRST_SHARE: Final = 0.1
"""Of its weight, with which slow start begins."""


class Member(NamedTuple):
    """One target, as operators describe it."""

    name: str
    weight: int = 1
    zone: str = ""
    backup: bool = False
    drain: bool = False


class Pool:
    """One compiled service's targets. It lives as long as its snapshot; what it measures is in `state`."""

    __slots__ = ("_choose", "_look_at", "_policy", "_rng", "_seen", "_spare", "_state", "balancing", "is_panicking",
                 "members", "states")  # fmt: skip

    def __init__(
        self, policy: BalancingPolicy, members: Sequence[Member], state: ServiceState, *, rng: Chance
    ) -> None:
        self.balancing = policy
        self.members = tuple(members)
        self.states = [state.target(member.name) for member in members]
        self.is_panicking = False
        """The last look found nobody available, and all are tried."""
        self._state = state
        self._rng = rng
        names = tuple(member.name for member in members)
        weights = tuple(member.weight for member in members)
        self._policy = ALGORITHMS[policy.algorithm](Crew(names, weights, self.states, state, rng))
        self._choose = self._policy.pick
        self._spare: list[list[int]] = []
        self._seen = -1
        self._look_at = -inf

    def pick(self, now: float, tried: Collection[int], key: bytes | None = None) -> int | None:
        """An index into `members` that is not among `tried`; None: nobody is left, or nobody available."""
        if self._seen != self._state.version or now >= self._look_at:
            self._look(now)
        index = self._choose(tried, key)
        return index if index is not None or not self._spare else self._pick_spare(tried)

    def settle(self) -> None:
        """Its snapshot is the one that counts now: what is known of other targets is forgotten."""
        for state in self.states:
            self._state.targets[state.name] = state
        draining = {member.name for member in self.members if member.drain}
        self._state.settle([member.name for member in self.members], draining)

    def _pick_spare(self, tried: Collection[int]) -> int | None:
        for group in self._spare:
            left = [index for index in group if index not in tried]
            if left:
                return left[int(self._rng.random() * len(left))]
        return None

    def _look(self, now: float) -> None:
        """Finds out who the candidates are, and when that may change by itself."""
        self._seen = self._state.version
        self._welcome(now)
        groups = self._groups(now) or self._groups(inf)
        self.is_panicking = not groups and self.balancing.panic
        if self.is_panicking:
            groups = [[index for index, member in enumerate(self.members) if not member.drain]]
        candidates = groups[0] if groups else []
        self._spare = groups[1:]
        shares = self._shares(candidates, now)
        self._policy.refresh(candidates, shares)
        ends = [state.ejected_until for state in self.states if state.ejected_until > now]
        if shares is not None:
            ends.append(now + self.balancing.slow_start_s / RAMP_STEPS)
        self._look_at = min(ends, default=inf)

    def _welcome(self, now: float) -> None:
        """New targets begin slowly, unless all are new: then there is nobody to take their load meanwhile."""
        new = [state for state in self.states if state.available_since is None]
        for state in new:
            state.available_since = now if len(new) < len(self.states) else -inf

    def _groups(self, now: float) -> list[list[int]]:
        """Targets that are available then, the preferred ones first; at the end of time nobody is ejected."""
        zone = self.balancing.zone
        groups: tuple[list[int], ...] = ([], [], [], [])
        for index, (member, state) in enumerate(zip(self.members, self.states, strict=True)):
            if state.is_available(now) and not member.drain:
                is_elsewhere = bool(zone) and member.zone != zone
                groups[2 * member.backup + is_elsewhere].append(index)
        return [group for group in groups if group]

    def _shares(self, candidates: list[int], now: float) -> list[float] | None:
        """Of slow start; None when nobody is in it."""
        slow_start_s = self.balancing.slow_start_s
        if slow_start_s <= 0:
            return None
        shares = [share_of(self.states[index], slow_start_s, now) for index in candidates]
        return shares if any(share < 1.0 for share in shares) else None


def share_of(state: TargetState, slow_start_s: float, now: float) -> float:
    """How much of its weight a target has: from a tenth to all of it, in proportion to the time since it is back."""
    since = state.ejected_until
    if state.available_since is not None and state.available_since > since:
        since = state.available_since
    return min(1.0, max(FIRST_SHARE, (now - since) / slow_start_s))
