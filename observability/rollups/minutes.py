"""P: One worker's minutes that are not over or not written yet: what its rows in the database are to be.

A row holds all that the worker saw in the minute, so writing it twice changes nothing. What waits for the database is
bounded; the oldest minute goes first, and its requests are counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from observability.rollups.figures import Figures
from observability.rollups.tiers import MINUTE
from observability.traffic.folding import OTHER, Caller, Fold, Key, Spent, Tally
from routing.dbtext import db_text

KEPT_MINUTES: Final = 15
MOST_CELLS: Final = 60_000
"""Rows to be, of all minutes together: of 10,000 routes, each with its service and connections to that, while a minute
and the next are open."""
MOST_CALLERS: Final = 2000
"""For each minute; the others are one."""
WRITTEN_CALLERS: Final = 100
NAME_LENGTH: Final = 100
CONSUMER_LENGTH: Final = 150
OPEN_S: Final = 30
"""How long after its end a minute may get requests still."""
ALL, SERVICE, ROUTE = "all", "service", "route"
CONNECTS: Final = "connects"
"""Of a service, or without a name of all of them: what opening connections took, and for how many requests."""
EVERYBODY_ELSE: Final = Caller("", OTHER)


class Subject(NamedTuple):
    """What figures are of: the whole gateway, a service, a route, or connections to services."""

    scope: str
    name: str


@dataclass(slots=True)
class Entry:
    """A row to be."""

    figures: Figures = field(default_factory=Figures)
    service: str = ""
    """Of a route: the one that took its last request."""
    written: int = 0
    """Of its requests."""

    @property
    def is_changed(self) -> bool:
        return self.written != self.figures.count


@dataclass(slots=True)
class Minute:
    at: int
    entries: dict[Subject, Entry] = field(default_factory=dict)
    callers: dict[Caller, Tally] = field(default_factory=dict)
    others: Tally = field(default_factory=Tally)
    written: dict[Caller, int] = field(default_factory=dict)
    """Those that have a row, and how many requests of theirs it holds."""

    @property
    def unwritten(self) -> int:
        """Requests that no row holds."""
        entry = self.entries.get(Subject(ALL, ""))
        return 0 if entry is None else entry.figures.count - entry.written

    def entry(self, scope: str, name: str, *, is_full: bool) -> Entry:
        subject = Subject(scope, db_text(name, NAME_LENGTH))
        if is_full and scope != ALL and subject not in self.entries:
            subject = Subject(scope, OTHER)
        found = self.entries.get(subject)
        if found is None:
            found = self.entries[subject] = Entry()
        return found

    def connects(self, service: str, spent: Spent, *, is_full: bool) -> None:
        """What opening connections took: of its service, and of all."""
        entries = [self.entry(CONNECTS, "", is_full=False)]
        if service:
            entries.append(self.entry(CONNECTS, service, is_full=is_full))
        for entry in entries:
            entry.figures.spend(spent)

    def changed(self) -> list[tuple[Subject, Entry]]:
        return [(subject, entry) for subject, entry in self.entries.items() if entry.is_changed]

    def changed_callers(self) -> list[tuple[Caller, Tally]]:
        """The biggest get rows, and keep them; everybody else is one row."""
        waiting = [each for each in self.callers.items() if each[0] not in self.written]
        waiting.sort(key=lambda each: (-each[1].count, each[0]))
        room = max(0, WRITTEN_CALLERS - len(self.written))
        rows = [(key, self.callers[key]) for key in self.written if key in self.callers]
        rows += waiting[:room]
        rest = replace(self.others)
        for _, tally in waiting[room:]:
            add_tally(rest, tally)
        if rest.count or EVERYBODY_ELSE in self.written:
            rows.append((EVERYBODY_ELSE, rest))
        return [(key, tally) for key, tally in rows if self.written.get(key) != tally.count]

    def tally(self, caller: Caller, tally: Tally) -> None:
        clean = Caller(db_text(caller.route, NAME_LENGTH), db_text(caller.consumer, CONSUMER_LENGTH))
        found = self.callers.get(clean)
        if found is None and len(self.callers) < MOST_CALLERS:
            found = self.callers[clean] = Tally()
        add_tally(self.others if found is None else found, tally)


class Minutes:
    """One worker's. Not for several threads."""

    def __init__(self, *, most_cells: int = MOST_CELLS, kept: int = KEPT_MINUTES) -> None:
        self._most_cells = most_cells
        self._kept = kept
        self._minutes: dict[int, Minute] = {}
        self._closed = -MINUTE
        self.dropped = 0
        """Requests that no row ever held."""

    def __iter__(self) -> Iterator[Minute]:
        return iter([self._minutes[at] for at in sorted(self._minutes)])

    @property
    def cells(self) -> int:
        return sum(len(each.entries) for each in self._minutes.values())

    def add(self, at: float, done: Fold) -> None:
        """Requests that ended at about `at`, epoch seconds. A clock that goes back does not open what is closed."""
        start = max(int(at // MINUTE) * MINUTE, self._closed + MINUTE)
        minute = self._minutes.get(start)
        if minute is None:
            minute = self._minutes[start] = Minute(start)
            self._make_room()
        is_full = self.cells >= self._most_cells
        for key, cell in done.cells.items():
            if is_counted(key):
                service = minute.entry(SERVICE, key.service, is_full=is_full) if key.service else None
                route = minute.entry(ROUTE, key.route, is_full=is_full)
                route.service = key.service or route.service
                for entry in (minute.entry(ALL, "", is_full=False), route, service):
                    if entry is not None:
                        entry.figures.take(key.status, key.code, cell)
        for name, spent in done.connects.items():
            minute.connects(name, spent, is_full=is_full)
        for caller, tally in done.callers.items():
            minute.tally(caller, tally)

    def close(self, now: float) -> None:
        """Forgets what is over and written."""
        for minute in self:
            if minute.at + MINUTE + OPEN_S > now or minute.changed() or minute.changed_callers():
                break
            self._forget(minute)

    def drop_oldest(self) -> None:
        """It cannot be kept any longer."""
        minute = next(iter(self))
        self.dropped += minute.unwritten
        self._forget(minute)

    def _make_room(self) -> None:
        while len(self._minutes) > 1 and (len(self._minutes) > self._kept or self.cells >= self._most_cells):
            self.drop_oldest()

    def _forget(self, minute: Minute) -> None:
        del self._minutes[minute.at]
        self._closed = max(self._closed, minute.at)


def is_counted(key: Key) -> bool:
    """All but what the gateway's own endpoints answered: pages of admin are no traffic. Refusals are."""
    return bool(key.route or key.code)


def add_tally(to: Tally, other: Tally) -> None:
    to.count += other.count
    to.errors += other.errors
    to.refused += other.refused
