"""P: Many records made few: what was asked of each route and how it went, added up.

What metrics, roll-ups and dashboards need is added up once for all of them; they merge a few cells for each batch and
never see single requests.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from authproxy.rejections import Code
from observability.traffic.histogram import bucket_of, merge
from observability.traffic.record import Record
from resilience.outcomes import Outcome

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
class Fold:
    """What came of a batch."""

    cells: dict[Key, Cell] = field(default_factory=dict)
    callers: dict[Caller, Tally] = field(default_factory=dict)
    attempts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """By service, target and outcome."""
    retries: dict[str, int] = field(default_factory=dict)
    """Attempts after the first, by service."""
    waits: dict[str, dict[int, int]] = field(default_factory=dict)
    """How long services took to begin their answers: buckets by service."""
    caches: dict[tuple[str, str], int] = field(default_factory=dict)
    """By route and what X-Cache said."""
    would: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """What policies in `mode: log` would have refused, by route, policy and code."""


def fold(records: Iterable[Record]) -> Fold:
    """One pass. It is the most of what watching costs, so names and attributes are looked up once."""
    done = Fold()
    cells: dict[tuple[str, str, str, int, Code | None], Cell] = {}
    attempts: dict[tuple[str, str, Outcome], int] = {}
    find, buckets_of = cells.get, bucket_of
    for record in records:
        route, refusal = record.route, record.refusal
        name = "" if route is None else route.name
        key = (name, record.service, record.method, record.status, None if refusal is None else refusal.code)
        cell = find(key)
        if cell is None:
            cell = cells[key] = Cell()
        seconds = record.ended - record.started
        cell.count += 1
        cell.seconds += seconds
        if record.answered:
            waited = record.answered - record.forwarded
            cell.upstream_s += waited
            _wait(done.waits, record.service, waited)
        if record.head.content_length:
            cell.received += record.received
        cell.sent += record.sent
        number, buckets = buckets_of(seconds), cell.buckets
        buckets[number] = buckets.get(number, 0) + 1
        if record.attempts:
            _count_attempts(attempts, record)
            if record.attempts > 1:
                done.retries[record.service] = done.retries.get(record.service, 0) + record.attempts - 1
        if record.identity is not None:
            _tally(done.callers, Caller(name, record.identity.consumer), record)
        if record.cache:
            _more(done.caches, (name, record.cache))
        for policy, refused in record.would:
            _more(done.would, (name, policy, refused.code.value))
    _named(cells, done.cells)
    done.attempts = {(service, target, end.value): n for (service, target, end), n in attempts.items()}
    return done


def _named(cells: dict[tuple[str, str, str, int, Code | None], Cell], into: dict[Key, Cell]) -> None:
    for (route, service, method, status, code), cell in cells.items():
        known = method if method in METHODS else OTHER
        key = Key(route, service, known, status, "" if code is None else code.value)
        if key in into:
            into[key].add(cell)
        else:
            into[key] = cell


def _tally(callers: dict[Caller, Tally], caller: Caller, record: Record) -> None:
    tally = callers.get(caller)
    if tally is None:
        tally = callers[caller] = Tally()
    tally.count += 1
    tally.errors += record.status >= 500
    tally.refused += record.refusal is not None and record.status in (401, 403, 429)


def _wait(waits: dict[str, dict[int, int]], service: str, seconds: float) -> None:
    buckets = waits.get(service)
    if buckets is None:
        buckets = waits[service] = {}
    _more(buckets, bucket_of(seconds))


def _count_attempts(attempts: dict[tuple[str, str, Outcome], int], record: Record) -> None:
    failed = record.failures or ()
    for target, outcome in failed:
        _more(attempts, (record.service, target, outcome))
    if record.attempts > len(failed):
        _more(attempts, (record.service, record.target, record.outcome))


def _more(counts: dict[K, int], key: K) -> None:
    counts[key] = counts.get(key, 0) + 1
