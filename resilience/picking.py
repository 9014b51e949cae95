"""P: Which of the candidates takes the next request. One policy per algorithm, found by the document's name for it.

A pool says who the candidates are and when that changed; a policy picks one that was not tried yet. Targets are
indices into the pool's members. `shares` are those of candidates in slow start, 1.0 for everybody else; None: all 1.0.
"""

from bisect import bisect
from collections.abc import Collection, Iterable, Sequence
from heapq import heapify, heapreplace
from itertools import accumulate, islice
from typing import Final, NamedTuple, Protocol

from resilience.hashring import Ring, ring_of
from resilience.state import ServiceState, TargetState

EXACT: Final = 16
"""Up to so many candidates are all looked at for each request."""
STEPS: Final = 64
Shares = Sequence[float] | None


class Chance(Protocol):
    """What is needed of a `random.Random`."""

    def random(self) -> float:
        """At least 0.0, less than 1.0."""


class Crew(NamedTuple):
    """All members of a pool, by index."""

    names: tuple[str, ...]
    weights: tuple[int, ...]
    states: list[TargetState]
    service: ServiceState
    rng: Chance


class Policy(Protocol):
    """One pool's algorithm."""

    def __init__(self, crew: Crew) -> None:
        """Without candidates yet."""

    def refresh(self, candidates: list[int], shares: Shares) -> None:
        """These are the candidates from now on."""

    def pick(self, tried: Collection[int], key: bytes | None) -> int | None:
        """One that was not tried; None when there is none."""


class WeightedRoundRobin:
    """Smooth: each in proportion to its weight, and the heavy ones not in a row.

    nginx's algorithm among few candidates. It looks at all of them, so among many the one whose turn is due first is
    taken from a heap: in the same proportions, with turns at a random offset.
    """

    def __init__(self, crew: Crew, *, is_even: bool = False) -> None:
        self._states = crew.states
        self._rng = crew.rng
        self._weights = (1,) * len(crew.weights) if is_even else crew.weights
        self._crew: list[tuple[int, float]] = []
        self._due: list[tuple[float, int, float]] = []

    def refresh(self, candidates: list[int], shares: Shares) -> None:
        self._crew = list(zip(candidates, _weights(self._weights, candidates, shares), strict=True))
        self._due = []
        if len(candidates) > EXACT:
            chance = self._rng.random
            self._due = [(chance() / weight, index, 1 / weight) for index, weight in self._crew]
            heapify(self._due)

    def pick(self, tried: Collection[int], key: bytes | None = None) -> int | None:
        if not self._due or tried:
            return self._heaviest(tried)
        at, index, pause = self._due[0]
        heapreplace(self._due, (at + pause, index, pause))
        return index

    def _heaviest(self, tried: Collection[int]) -> int | None:
        """All gain their weight; who has most pays what all gained."""
        best: TargetState | None = None
        found, total = None, 0.0
        for index, weight in self._crew:
            if index not in tried:
                state = self._states[index]
                state.current += weight
                total += weight
                if best is None or state.current > best.current:
                    best, found = state, index
        if best is not None:
            best.current -= total
        return found


class RoundRobin:
    """Each in turn, whatever its weight; in slow start, in proportion to its share.

    Repetitions are drawn and move no turn: else, of two targets, the one that fails would be first for every request.
    """

    def __init__(self, crew: Crew) -> None:
        self._service = crew.service
        self._rng = crew.rng
        self._slowly = WeightedRoundRobin(crew, is_even=True)
        self._is_slow = False
        self._candidates: list[int] = []
        self._count = 0

    def refresh(self, candidates: list[int], shares: Shares) -> None:
        self._candidates = candidates
        self._count = len(candidates)
        self._is_slow = shares is not None
        if shares is not None:
            self._slowly.refresh(candidates, shares)

    def pick(self, tried: Collection[int], key: bytes | None = None) -> int | None:
        if self._is_slow:
            return self._slowly.pick(tried)
        if tried:
            left = [index for index in self._candidates if index not in tried]
            return left[int(self._rng.random() * len(left))] if left else None
        if not self._count:
            return None
        turn = self._service.cursor + 1
        if turn >= self._count:
            turn %= self._count
        self._service.cursor = turn
        return self._candidates[turn]


class Drawn:
    """`random`: any, in proportion to its weight."""

    def __init__(self, crew: Crew) -> None:
        self._weights = crew.weights
        self._rng = crew.rng
        self._candidates: list[int] = []
        self._shares: Shares = None
        self._sums: list[float] = []

    def refresh(self, candidates: list[int], shares: Shares) -> None:
        self._candidates = candidates
        self._shares = shares
        self._sums = list(accumulate(_weights(self._weights, candidates, shares)))

    def pick(self, tried: Collection[int], key: bytes | None = None) -> int | None:
        candidates = self._candidates
        if not candidates:
            return None
        index = candidates[bisect(self._sums, self._rng.random() * self._sums[-1], hi=len(candidates) - 1)]
        return index if index not in tried else self._other(tried)

    def _other(self, tried: Collection[int]) -> int | None:
        other = Drawn(Crew((), self._weights, [], ServiceState(""), self._rng))
        shares = self._shares or (1.0,) * len(self._candidates)
        left = [(index, share) for index, share in zip(self._candidates, shares, strict=True)
                if index not in tried]  # fmt: skip
        other.refresh([index for index, _ in left], [share for _, share in left])
        return other.pick(())


class LeastConnections:
    """Who has the fewest requests under way for its weight: of all candidates, or of two drawn among many."""

    def __init__(self, crew: Crew) -> None:
        self._states = crew.states
        self._service = crew.service
        self._weights = crew.weights
        self._weighing: dict[int, float] = {}
        self._drawn = Drawn(crew)
        self._crew: list[tuple[int, float]] = []

    def refresh(self, candidates: list[int], shares: Shares) -> None:
        self._drawn.refresh(candidates, shares)
        self._crew = list(zip(candidates, _weights(self._weights, candidates, shares), strict=True))
        self._weighing = dict(self._crew)

    def pick(self, tried: Collection[int], key: bytes | None = None) -> int | None:
        if len(self._crew) <= EXACT or tried:
            return self._least(tried)
        one, other = self._drawn.pick(()), self._drawn.pick(())
        assert one is not None
        assert other is not None
        states, weights = self._states, self._weighing
        if (states[one].in_flight + 1) * weights[other] <= (states[other].in_flight + 1) * weights[one]:
            return one
        return other

    def _least(self, tried: Collection[int]) -> int | None:
        """Among equals, whoever comes first after the last one that was picked."""
        crew, states = self._crew, self._states
        if not crew:
            return None
        turn = (self._service.cursor + 1) % len(crew)
        found, least, at = None, 0.0, turn
        for place in range(turn - len(crew), turn):
            index, weight = crew[place]
            load = (states[index].in_flight + 1) / weight
            if (found is None or load < least) and index not in tried:
                found, least, at = index, load, place
        if not tried:
            self._service.cursor = at % len(crew)
        return found


class ConsistentHash:
    """The same key, the same target, as long as it is available; then the next one on the ring.

    Requests without a key take turns. Slow start does not apply: it would move keys.
    """

    def __init__(self, crew: Crew) -> None:
        self._names = crew.names
        self._weights = crew.weights
        self._ring: Ring | None = None
        self._narrow: Ring | None = None
        self._mask = bytearray(len(crew.names))
        self._candidates: list[int] = []
        self._keyless = RoundRobin(crew)

    def refresh(self, candidates: list[int], shares: Shares) -> None:
        self._narrow = None
        self._candidates = candidates
        self._mask = bytearray(len(self._mask))
        for index in candidates:
            self._mask[index] = 1
        self._keyless.refresh(candidates, None)

    def pick(self, tried: Collection[int], key: bytes | None) -> int | None:
        if key is None:
            return self._keyless.pick(tried)
        if not self._candidates or (tried and all(index in tried for index in self._candidates)):
            return None
        ring = self._ring
        if ring is None:  # not sooner: a snapshot's many pools would make theirs one after the other
            ring = self._ring = ring_of(self._names, self._weights)
        found: int | None = ring.owner(key)
        if self._mask[found or 0] and found not in tried:
            return found
        found = self._first(islice(ring.owners(key), STEPS), tried)
        if found is None:  # nearly all are unavailable
            if self._narrow is None:
                self._narrow = ring.among(self._mask)
            found = self._first(self._narrow.owners(key), tried)
        return found

    def _first(self, owners: Iterable[int], tried: Collection[int]) -> int | None:
        for index in owners:
            if self._mask[index] and index not in tried:
                return index
        return None


ALGORITHMS: Final[dict[str, type[Policy]]] = {
    "round_robin": RoundRobin,
    "weighted_round_robin": WeightedRoundRobin,
    "least_connections": LeastConnections,
    "random": Drawn,
    "consistent_hash": ConsistentHash,
}


def _weights(weights: Sequence[int], candidates: Sequence[int], shares: Shares) -> list[float]:
    """What each candidate weighs now."""
    if shares is None:
        return [weights[index] for index in candidates]
    return [weights[index] * share for index, share in zip(candidates, shares, strict=True)]
