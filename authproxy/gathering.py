"""P: Security events that repeat, gathered into one with a count, in bounded memory whatever callers do.

An event that differs in anything from those at hand is an entry. The same again, within a moment (a minute), only
counts. Where too many differ (a guesser with many addresses), the rest are counted together, by kind.
"""

from collections.abc import Mapping
from typing import Any, Final

from authproxy.security import Kind, SecurityEvent

MOMENT_S: Final = 60.0
UPDATE_S: Final = 10.0
"""How often a count that grows is told again."""
TOO_MANY: Final = "too many to tell apart"
LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 64
_LONGEST_VALUE: Final = 500
_MOST_VALUES: Final = 20
_Key = tuple[str, str, str, str, str]


class Entry:
    """An event and how often it happened; the log and the table each remember how much of that they have told."""

    __slots__ = ("count", "event", "first_at", "logged", "logged_at", "row", "written", "written_at")

    def __init__(self, event: SecurityEvent, now: float) -> None:
        self.event = event
        self.first_at = now
        self.count = 0
        self.logged = 0
        self.logged_at = 0.0
        self.written = 0
        self.written_at = 0.0
        self.row: int | None = None
        """The row that holds it, once there is one."""


class Gathering:
    """Entries of the last moment. Times are in epoch seconds; not safe for threads without a lock around it."""

    def __init__(self, *, limit: int, moment_s: float = MOMENT_S) -> None:
        self._entries: dict[_Key, Entry] = {}
        self._limit = limit
        self._moment_s = moment_s
        self.merged = 0
        """How many events lost their particulars."""

    def note(self, event: SecurityEvent, now: float) -> None:
        """Counts an event."""
        key = (event.kind, event.actor, event.subject, event.address, repr(event.details))
        entry = self._entries.get(key)
        if entry is None:
            entry = self._new(key, event, now)
        entry.count += 1

    def due(self, now: float) -> list[Entry]:
        """Entries with something to log or to write: new ones, and what grew since it was told `UPDATE_S` ago."""
        return [entry for entry in self._entries.values() if is_to_log(entry, now) or is_to_write(entry, now)]

    def forget(self, now: float) -> None:
        """Drops what is a moment old and told in full."""
        told = [
            key
            for key, entry in self._entries.items()
            if now - entry.first_at >= self._moment_s and entry.count == entry.logged == entry.written
        ]
        for key in told:
            del self._entries[key]

    def _new(self, key: _Key, event: SecurityEvent, now: float) -> Entry:
        if len(self._entries) >= self._limit:
            self.merged += 1
            return self._crowd(event.kind, now)
        self._entries[key] = entry = Entry(cleaned(event), now)
        return entry

    def _crowd(self, kind: Kind, now: float) -> Entry:
        key = (kind, "", "", "", TOO_MANY)
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = entry = Entry(SecurityEvent(kind, details={"note": TOO_MANY}), now)
        return entry


def is_to_log(entry: Entry, now: float) -> bool:
    """Whether the log should hear of it now."""
    return entry.logged < entry.count and (not entry.logged or now - entry.logged_at >= UPDATE_S)


def is_to_write(entry: Entry, now: float) -> bool:
    """Whether the table should have it now."""
    return entry.written < entry.count and (not entry.written or now - entry.written_at >= UPDATE_S)


def cleaned(event: SecurityEvent) -> SecurityEvent:
    """The event as every database and every log takes it: short, without NUL, and with plain JSON for details."""
    return SecurityEvent(
        event.kind,
        actor=_text(event.actor, LONGEST_NAME),
        subject=_text(event.subject, LONGEST_NAME),
        address=_text(event.address, LONGEST_ADDRESS),
        details=_mapping(event.details),
    )


def _mapping(details: Mapping[str, Any]) -> dict[str, Any]:
    return {_text(key, 40): _value(value) for key, value in list(details.items())[:_MOST_VALUES]}


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, set | frozenset):
        value = sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_text(item, _LONGEST_VALUE) for item in value[:_MOST_VALUES]]
    return _text(value, _LONGEST_VALUE)


def _text(value: object, length: int) -> str:
    text = str(value)[:length]
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
