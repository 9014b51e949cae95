"""P: Finished requests sorted by what they have in common, and added up.

What is the same in many requests is worked out once for all of them, and what can wait is left for `take`.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from authproxy.exchange import Exchange
from authproxy.rejections import Code
from observability.traffic.folding import METHODS, OTHER, Caller, Cell, Fold, Key, Spent, Tally, more
from observability.traffic.histogram import buckets_of, merge
from resilience.outcomes import Outcome
from routing.snapshot import CompiledRoute, Logged

MOST_ALIKES: Final = 4096
"""Clients make up methods and services statuses: when there are more, it begins anew."""
FAULT: Final = 0
"""Somebody may want to know why."""
SAMPLE: Final = 1
"""It went well, as others of its route did."""
NOBODYS: Final = 2
"""It went well on an endpoint of the gateway's own."""
_OK: Final = Outcome.OK
_REFUSED: Final = frozenset({401, 403, 429})


class Alike:
    """What requests have in common, and what is to be added up of them. It outlives their snapshot: it holds nothing
    big."""

    __slots__ = (
        "attempts", "cache", "code", "consumers", "is_odd", "kind", "log", "method", "outcome",
        "received", "revision", "route", "seconds", "sent", "service", "status", "target", "unfinished", "waits",
        "written",
    )  # fmt: skip

    def __init__(self, exchange: Exchange) -> None:
        route: CompiledRoute | None = getattr(exchange, "route", None)
        self.route = "" if route is None else route.name
        self.log: Logged | None = None if route is None else route.log
        self.service = exchange.service
        self.target = exchange.target
        self.method = exchange.method
        self.status = exchange.status
        self.code: Code | None = None if exchange.refusal is None else exchange.refusal.code
        self.outcome = exchange.outcome
        self.attempts = exchange.attempts
        self.cache = exchange.cache
        self.revision = exchange.snapshot.revision
        self.is_odd = bool(exchange.failures or exchange.would)
        """More is to be said of each of them: attempts that failed, or what a policy in `mode: log` would have done."""
        is_fault = self.is_odd or not 0 < self.status < 400
        self.kind = FAULT if is_fault else SAMPLE if self.route else NOBODYS
        self.written: Any = None
        """For whoever writes lines: what is the same in theirs."""
        self.begin()

    def begin(self) -> None:
        """With nothing added up."""
        self.seconds: list[float] = []
        self.waits: list[float] = []
        """Until the heads of upstreams' answers, of those that had one."""
        self.sent = self.received = 0
        self.consumers: dict[str, int] = {}
        self.unfinished = 0
        """Those whose last attempt is among their failures."""


class Seen(NamedTuple):
    """Requests that ended one after another, and with which others each belongs.

    Nobody keeps them: with a request its connection would be kept.
    """

    exchanges: Sequence[Exchange]
    alikes: Sequence[Alike]
    offset_s: float
    """Makes epoch seconds of their monotonic ones."""


class Alikes:
    """One worker's."""

    def __init__(self, most: int = MOST_ALIKES) -> None:
        self._most = most
        self._found: dict[tuple[Any, ...], Alike] = {}
        self._busy: list[Alike] = []
        """Those that have something to be added up."""
        self._fold = Fold()

    @property
    def waiting(self) -> int:
        """How many `take` has still something of."""
        return len(self._busy)

    def sort(self, exchanges: Sequence[Exchange]) -> list[Alike]:
        """Adds them up. What each has in common with others, in their order."""
        sorted_ = []
        find, busy, ok = self._found.get, self._busy, _OK
        for exchange in exchanges:
            refusal, outcome, snapshot = exchange.refusal, exchange.outcome, exchange.snapshot
            try:
                name = exchange.route.name
            except AttributeError:  # it found none
                name = ""
            odd = True if exchange.failures or exchange.would else None
            key = (
                name, exchange.service, exchange.target, exchange.method, exchange.status, exchange.attempts,
                exchange.cache, snapshot.revision, None if refusal is None else refusal.code,
                None if outcome is ok else outcome, odd,
            )  # fmt: skip
            alike = find(key)
            if alike is None:
                alike = self._new(key, exchange)
                find = self._found.get
            seconds = alike.seconds
            if not seconds:
                busy.append(alike)
            seconds.append(exchange.ended - exchange.started)
            if exchange.answered:
                alike.waits.append(exchange.answered - exchange.forwarded)
            alike.sent += exchange.sent
            if exchange.identity is not None:
                consumer, consumers = exchange.identity.consumer, alike.consumers
                consumers[consumer] = consumers.get(consumer, 0) + 1
            if exchange.head.content_length:
                alike.received += int(exchange.head.content_length)
            if odd or exchange.connecting_s:
                self._add_rest(alike, exchange)
            sorted_.append(alike)
        return sorted_

    def take(self, most: int = MOST_ALIKES) -> Fold:
        """What came of so many of them since the last time: adding up one of them takes about 5 µs."""
        done, self._fold = self._fold, Fold()
        part, self._busy = self._busy[:most], self._busy[most:]
        for alike in part:
            _part(alike, done)
            alike.begin()
        return done

    def _new(self, key: tuple[Any, ...], exchange: Exchange) -> Alike:
        if len(self._found) >= self._most:
            self._found = {}
        made = self._found[key] = Alike(exchange)
        return made

    def _add_rest(self, alike: Alike, exchange: Exchange) -> None:
        """What most requests do not have."""
        done, failures = self._fold, exchange.failures or ()
        if exchange.connecting_s:
            done.connects.setdefault(alike.service, Spent()).note(exchange.connecting_s)
        for target, outcome in failures:
            more(done.attempts, (alike.service, target, outcome.value))
        alike.unfinished += alike.attempts <= len(failures)
        for policy, refused in exchange.would:
            more(done.would, (alike.route, policy, refused.code.value))


def _part(alike: Alike, done: Fold) -> None:
    """Each figure by its own names."""
    route, service, count = alike.route, alike.service, len(alike.seconds)
    method = alike.method if alike.method in METHODS else OTHER
    waits = buckets_of(alike.waits)
    cell = Cell(
        count, sum(alike.seconds), sum(alike.waits), alike.received, alike.sent, buckets_of(alike.seconds)
    )
    key = Key(route, service, method, alike.status, "" if alike.code is None else alike.code.value)
    if key in done.cells:
        done.cells[key].add(cell)
    else:
        done.cells[key] = cell
    if waits:
        spent = done.waits.setdefault(service, Spent())
        merge(spent.buckets, waits)
        spent.seconds += cell.upstream_s
    if alike.attempts and count > alike.unfinished:
        more(done.attempts, (service, alike.target, alike.outcome.value), count - alike.unfinished)
    if alike.attempts > 1:
        more(done.retries, service, (alike.attempts - 1) * count)
    if alike.cache:
        more(done.caches, (route, alike.cache), count)
    _part_callers(alike, done)


def _part_callers(alike: Alike, done: Fold) -> None:
    is_error, is_refused = alike.status >= 500, alike.code is not None and alike.status in _REFUSED
    for consumer, number in alike.consumers.items():
        tally = done.callers.setdefault(Caller(alike.route, consumer), Tally())
        tally.count += number
        tally.errors += number if is_error else 0
        tally.refused += number if is_refused else 0
