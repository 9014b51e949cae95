"""D: The port of the audit trail: whatever changes something says so here, once, inside its transaction.

Who binds the port writes the event over the same connection; if that raises, the change is undone with it. The layer
of the trail lies above, so nothing here knows how events are kept.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db import transaction

from routing.diff import ABSENT, FieldChange

MOST_OBJECTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from. `door` is admin, api, cli, discovery, account or system; `address` the client's."""

    door: str = "system"
    address: str = ""
    name: str = ""
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """One change. `objects` are kinds and names; `changes` are entries as `routing.diff` writes them as JSON."""

    action: str
    objects: tuple[tuple[str, str], ...] = ()
    by: str = ""
    reason: str = ""
    changes: tuple[dict[str, Any], ...] = ()
    summary: str = ""
    door: str = ""
    user_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


Port = Callable[[Deed, Origin], None]
_ports: list[Port] = []
_origin: ContextVar[Origin | Callable[[], Origin] | None] = ContextVar("torana_origin", default=None)
_gathered: ContextVar[list[Deed] | None] = ContextVar("torana_gathered", default=None)


def bind(port: Port) -> Callable[[], None]:
    """Lets `port` write down each deed, until the answered function is called."""
    _ports.append(port)
    return lambda: _ports.remove(port) if port in _ports else None


@contextmanager
def coming_from(origin: Origin | Callable[[], Origin]) -> Iterator[None]:
    """What is changed inside comes from there. A function is asked only when something is."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def origin() -> Origin:
    """Where what happens now comes from."""
    found = _origin.get()
    if found is None:
        return Origin()
    return found() if callable(found) else found


def record(deed: Deed) -> None:
    """Writes a deed down, in the caller's transaction; whatever it raises must undo the change."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.append(deed)
    else:
        _write(deed)


@contextmanager
def gathering(action: str = "", *, by: str = "", reason: str = "", savepoint: bool = True) -> Iterator[None]:
    """A transaction in which all that is recorded is one event, written at its end; nothing, if nothing was.

    Without a savepoint, what is raised inside must leave the transaction around it, too.
    """
    if _gathered.get() is not None:
        yield
        return
    deeds: list[Deed] = []
    token = _gathered.set(deeds)
    try:
        with transaction.atomic(savepoint=savepoint):
            yield
            _gathered.set(None)
            if deeds:
                _write(merged(deeds, action=action, by=by, reason=reason))
    finally:
        _gathered.reset(token)


def merged(deeds: list[Deed], *, action: str = "", by: str = "", reason: str = "") -> Deed:
    """Several deeds as one: the first one's word, everybody's objects and changes."""
    first = deeds[0]
    objects = tuple(dict.fromkeys(each for deed in deeds for each in deed.objects))
    reasons = dict.fromkeys(deed.reason for deed in deeds if deed.reason)
    details = {name: value for deed in reversed(deeds) for name, value in deed.details.items()}
    return replace(
        first,
        action=action or first.action,
        objects=objects,
        by=by or first.by,
        reason=reason or "; ".join(list(reasons)[:10]),
        changes=tuple(change for deed in deeds for change in deed.changes),
        summary=first.summary if len(deeds) == 1 else "",
        details=details,
    )


def changed(
    kind: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[dict[str, Any], ...]:
    """One entry of what differs between two pictures of an object; None where there was or is none."""
    old, new = before or {}, after or {}
    fields = [
        FieldChange(path, old.get(path, ABSENT), new.get(path, ABSENT)).as_json()
        for path in dict.fromkeys((*old, *new))
        if old.get(path, ABSENT) != new.get(path, ABSENT)
    ]
    word = "added" if before is None else "removed" if after is None else "changed"
    return ({"kind": kind, "name": name, "action": word, "fields": fields},)


def ordered(action: str, kind: str, name: str, *, by: str, reason: str = "", **details: Any) -> None:
    """Records an operator's order about one object; `before` and `after` among the details are pictures of it."""
    before, after = details.pop("before", None), details.pop("after", None)
    changes = changed(kind, name, before, after) if before is not None or after is not None else ()
    record(Deed(action, ((kind, name),), by, reason, changes, details=details))


def _write(deed: Deed) -> None:
    here = origin()
    for port in tuple(_ports):
        port(deed, here)
