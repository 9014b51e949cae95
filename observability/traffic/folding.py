"""P: Many records made few: what was asked of each route and how it went, added up.

What metrics, roll-ups and dashboards need is added up once for all of them; they merge a few cells for each batch and
never see single requests.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from observability.traffic.histogram import bucket_of, merge

K = TypeVar("K")
OTHER: Final = "(other)"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Clients may make up methods; what is counted by them stays bounded."""


class Key(NamedTuple):
    """What requests are told apart by: names of the configuration, so that their number is bounded."""

    route: str
    """Empty where no route was found, and for the gateway's own endpoints."""
    service: str
    method: str
    status: int
    code: str
    """Of the refusal, if the gateway answered itself (`RATE_LIMIT`); else empty."""


class Caller(NamedTuple):
    """Whose requests on which route. Consumers are many: whoever keeps these bounds them."""

    route: str
    consumer: str


@dataclass(slots=True)
class Cell:
    """Requests that are alike. Durations in seconds, sizes in bytes."""

    count: int = 0
    seconds: float = 0.0
    upstream_s: float = 0.0
    """From the first attempt to the head of the answer, of those that had one."""
    received: int = 0
    sent: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Cell") -> None:
        self.count += other.count
        self.seconds += other.seconds
        self.upstream_s += other.upstream_s
        self.received += other.received
        self.sent += other.sent
        merge(self.buckets, other.buckets)


@dataclass(slots=True)
class Tally:
    """Of one caller."""

    count: int = 0
    errors: int = 0
    """Answers of 500 and more."""
    refused: int = 0
    """401, 403 and 429 that the gateway gave itself."""


@dataclass(slots=True)
class Spent:
    """What some requests took of something, in seconds and in buckets."""

    buckets: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, seconds: float) -> None:
        """One more."""
        more(self.buckets, bucket_of(seconds))
        self.seconds += seconds


@dataclass(slots=True)
class Fold:
    """What came of a batch."""

    cells: dict[Key, Cell] = field(default_factory=dict)
    callers: dict[Caller, Tally] = field(default_factory=dict)
    attempts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """By service, target and outcome."""
    retries: dict[str, int] = field(default_factory=dict)
    """Attempts after the first, by service."""
    waits: dict[str, Spent] = field(default_factory=dict)
    """How long services took to begin their answers."""
    connects: dict[str, Spent] = field(default_factory=dict)
    """What opening connections took, by service, of the requests for which some were opened."""
    caches: dict[tuple[str, str], int] = field(default_factory=dict)
    """By route and what X-Cache said."""
    would: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """What policies in `mode: log` would have refused, by route, policy and code."""


def more(counts: dict[K, int], key: K, number: int = 1) -> None:
    """So many more of `key`."""
    counts[key] = counts.get(key, 0) + number
