"""P: Many records made few: what was asked of each route and how it went, added up.

What metrics, roll-ups and dashboards need is added up once for all of them; they merge a few cells for each batch and
never see single requests.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from authproxy.rejections import Code
from observability.traffic.histogram import BOUNDS_S, bucket_of, merge
from observability.traffic.record import Record
from resilience.outcomes import Outcome

K = TypeVar("K")
OTHER: Final = "(other)"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Clients may make up methods; what is counted by them stays bounded."""
_REFUSED: Final = frozenset({401, 403, 429})


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
        _more(self.buckets, bucket_of(seconds))
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


@dataclass(slots=True)
class _Alike:
    """Requests of one key while they are counted. What follows from the key is worked out once, at the end."""

    cell: Cell = field(default_factory=Cell)
    waits: dict[int, int] = field(default_factory=dict)
    ends: dict[tuple[str, Outcome], int] = field(default_factory=dict)
    """By target and outcome: attempts that no other one followed."""
    consumers: dict[str, int] = field(default_factory=dict)


_Alikes = dict[tuple[str, str, str, int, Code | None], _Alike]


def fold(records: Iterable[Record]) -> Fold:
    """One pass. It is the most of what watching costs: what can wait until the end is left for `_part`."""
    done = Fold()
    alikes: _Alikes = {}
    find, bounds, bucket = alikes.get, BOUNDS_S, bisect_left
    for record in records:
        route, refusal, service, attempts = record.route, record.refusal, record.service, record.attempts
        name = "" if route is None else route.name
        key = (name, service, record.method, record.status, None if refusal is None else refusal.code)
        alike = find(key)
        if alike is None:
            alike = alikes[key] = _Alike()
        cell = alike.cell
        seconds = record.ended - record.started
        cell.count += 1
        cell.seconds += seconds
        cell.sent += record.sent
        buckets = cell.buckets
        number = bucket(bounds, seconds)
        buckets[number] = buckets.get(number, 0) + 1
        answered = record.answered
        if answered:
            waited = answered - record.forwarded
            cell.upstream_s += waited
            waits = alike.waits
            number = bucket(bounds, waited)
            waits[number] = waits.get(number, 0) + 1
        if attempts == 1 and record.failures is None:
            end, ends = (record.target, record.outcome), alike.ends
            ends[end] = ends.get(end, 0) + 1
        elif attempts:
            _count_attempts(done, alike, record)
        if record.identity is not None:
            consumer, consumers = record.identity.consumer, alike.consumers
            consumers[consumer] = consumers.get(consumer, 0) + 1
        if record.head.content_length:
            cell.received += record.received
        if record.connecting_s:
            done.connects.setdefault(service, Spent()).note(record.connecting_s)
        if record.cache or record.would:
            _count_rest(done, name, record)
    _part(alikes, done)
    return done


def _part(alikes: _Alikes, done: Fold) -> None:
    """What was counted together, each by its own names."""
    for (route, service, method, status, code), alike in alikes.items():
        known = method if method in METHODS else OTHER
        key = Key(route, service, known, status, "" if code is None else code.value)
        waited_s = alike.cell.upstream_s
        if key in done.cells:
            done.cells[key].add(alike.cell)
        else:
            done.cells[key] = alike.cell
        if alike.waits:
            spent = done.waits.setdefault(service, Spent())
            merge(spent.buckets, alike.waits)
            spent.seconds += waited_s
        for (target, end), number in alike.ends.items():
            _more(done.attempts, (service, target, end.value), number)
        is_error, is_refused = status >= 500, code is not None and status in _REFUSED
        for consumer, number in alike.consumers.items():
            tally = done.callers.setdefault(Caller(route, consumer), Tally())
            tally.count += number
            tally.errors += number if is_error else 0
            tally.refused += number if is_refused else 0


def _count_attempts(done: Fold, alike: _Alike, record: Record) -> None:
    failures = record.failures or ()
    for target, outcome in failures:
        _more(done.attempts, (record.service, target, outcome.value))
    if record.attempts > len(failures):
        _more(alike.ends, (record.target, record.outcome))
    if record.attempts > 1:
        _more(done.retries, record.service, record.attempts - 1)


def _count_rest(done: Fold, route: str, record: Record) -> None:
    if record.cache:
        _more(done.caches, (route, record.cache))
    for policy, refused in record.would:
        _more(done.would, (route, policy, refused.code.value))


def _more(counts: dict[K, int], key: K, number: int = 1) -> None:
    counts[key] = counts.get(key, 0) + number
