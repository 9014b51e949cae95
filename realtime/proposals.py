"""P: What is posted as events, read with all its faults at once."""

from typing import Any, Final, NamedTuple

import orjson

from realtime.events import LARGEST_DATA, LONGEST_TYPE
from routing.topics import is_topic

MOST_AT_ONCE: Final = 100
LARGEST_BODY: Final = 1 << 20
_NAMED: Final = ("topic", "user", "connection")
_KEYS: Final = frozenset({*_NAMED, "type", "data"})
_TOPIC: Final = "must be the name of a topic: letters, digits and . _ : -, at most 200"


class Proposal(NamedTuple):
    """An event that is to be."""

    topic: str
    type: str
    data: Any


class Found(NamedTuple):
    """`errors` are places and what is wrong there; `is_list`: they came as a list."""

    proposals: tuple[Proposal, ...]
    errors: tuple[tuple[str, str], ...]
    is_list: bool


def proposals_of(body: bytes) -> Found:
    """One object, or a list of up to MOST_AT_ONCE."""
    try:
        given = orjson.loads(body)
    except ValueError:
        return Found((), (("", "is not JSON"),), False)
    if not isinstance(given, list):
        proposal, errors = _read(given, "")
        return Found((proposal,), tuple(errors), False)
    if not 1 <= len(given) <= MOST_AT_ONCE:
        return Found((), (("", f"must have 1 to {MOST_AT_ONCE} events"),), True)
    read = [_read(each, f"[{number}]") for number, each in enumerate(given)]
    return Found(
        tuple(proposal for proposal, _ in read), tuple(error for _, errors in read for error in errors), True
    )


def _read(given: Any, place: str) -> tuple[Proposal, list[tuple[str, str]]]:
    if not isinstance(given, dict):
        return Proposal("", "", None), [(place, "must be an object")]
    errors = [(_at(place, key), "is not known") for key in given if key not in _KEYS]
    topic, fault = _topic(given)
    if fault is not None:
        errors.append((_at(place, fault[0]), fault[1]))
    kind = given.get("type")
    if not (isinstance(kind, str) and 0 < len(kind) <= LONGEST_TYPE and kind.isprintable()):
        errors.append((_at(place, "type"), f"must be a text of 1 to {LONGEST_TYPE} printable characters"))
    data = given.get("data")
    if len(orjson.dumps(data)) > LARGEST_DATA:
        errors.append((_at(place, "data"), f"may have {LARGEST_DATA} bytes of JSON"))
    return Proposal(topic, kind if isinstance(kind, str) else "", data), errors


def _topic(given: dict[str, Any]) -> tuple[str, tuple[str, str] | None]:
    """The topic, or where the fault is and what."""
    named = [name for name in _NAMED if name in given]
    if len(named) != 1:
        return "", (named[1] if named else "topic", "give one of topic, user and connection")
    (name,) = named
    value = given[name]
    if isinstance(value, int) and not isinstance(value, bool) and name == "user":
        value = str(value)
    topic = value if name == "topic" else f"{name}.{value}"
    if not (isinstance(value, str) and value and is_topic(topic)):
        return "", (name, _TOPIC)
    return topic, None


def _at(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
