"""The tree of keys, read off the schema."""

import pytest

from routing.document.schema import KINDS, DocumentSpec
from routing.document.shape import Shape, document_shape, entry_shape, find, shape_of


def every_key(shape: Shape, path: str = "") -> list[tuple[str, str]]:
    found = []
    for key in shape.keys.values():
        found.append((f"{path}{key.name}", key.description))
        if key.below is not None:
            found += every_key(key.below, f"{path}{key.name}.")
    return found


def test_every_key_is_described() -> None:
    """Descriptions are the help of admin, docs and editors: none is missing, each is a sentence."""
    described = every_key(document_shape())

    assert len(described) > 250
    assert [path for path, text in described if not text or not text.endswith(".")] == []
    # A description begins with a capital, or with one of the values that it explains.
    assert [path for path, text in described if not text[0].isupper() and not text.startswith(_VALUES)] == []


_VALUES = ("auto ", "exact, ", "http ", "public ", "user ", "`log` ", "`ttl` ")


@pytest.mark.parametrize(
    ("location", "part", "key"),
    [
        (("services", 0, "tls", "key"), "TLS towards", "key"),
        (("services", 0, "targets", 1, "url"), "One address", "url"),
        (("services", 0), None, None),
        (("routes", 0, "match", "headers", "x-a", "regex"), "A condition", "regex"),
        (("routes", 0, "match", "headers", "x-a"), None, None),
        (("routes", 0, "require_headers", "x-a", "one_of"), "What a required header", "one_of"),
        (("routes", 0, "ejection", "for"), None, None),
        (("services", 0, "ejection", "for"), "Passive health", "for"),
        (("routes", 0, "nonsense"), "A route", None),
        (("nonsense", "deeper"), None, None),
    ],
)
def test_places_are_found(location: tuple[str | int, ...], part: str | None, key: str | None) -> None:
    """A path of the document leads to its key, or to the part that does not know it."""
    found, named = find(document_shape(), location)

    assert (found.title[: len(part)] if found and part else found) == part
    assert (named.name if named else None) == key


@pytest.mark.parametrize(
    ("kind", "key", "defaults", "others"),
    [
        ("services", "protocol", ["http", None], ["https", "${X}"]),
        ("services", "max_connections", [512], [511, "512", 512.5]),
        ("services", "targets", [[], None], [[{}]]),
        ("services", "load_balancing", [None], ["round_robin"]),
        ("services", "timeout", [{}], [{"read": "1s"}]),
        ("services", "retries", [None], [{}]),
        ("routes", "enabled", [True], [False, 1]),
        ("routes", "priority", [0], [False, "0"]),
        ("routes", "status_map", [{}], [{"404": 204}]),
        ("quotas", "key", ["consumer", ["consumer"]], [["ip"], 5]),
        ("quotas", "limit", [None], [0, 5]),
    ],
)
def test_defaults_are_recognised(kind: str, key: str, defaults: list[object], others: list[object]) -> None:
    """A raw value is at its default when it says the same as leaving the key out."""
    found = entry_shape(kind).keys[key]

    assert [value for value in defaults + others if found.is_default(value)] == defaults


def test_durations_are_compared_by_length() -> None:
    """2000ms is the default of 2s."""
    timeout = entry_shape("services").keys["timeout"].below

    assert timeout is not None
    assert [text for text in ("2s", "2000ms", "3s", "x") if timeout.keys["connect"].is_default(text)] == [
        "2s",
        "2000ms",
    ]


def test_names_come_first() -> None:
    """An entry is written with its name on top."""
    for kind in KINDS:
        assert next(iter(entry_shape(kind).keys)) == "name"


def test_secrets_are_marked() -> None:
    """Where a secret stands is part of the schema."""
    places = [("services", "tls"), ("identity_providers", None)]
    parts = [entry_shape(kind) if key is None else entry_shape(kind).keys[key].below for kind, key in places]

    assert [[key.name for key in part.keys.values() if key.secret] for part in parts if part] == [
        ["key"],
        ["secret"],
    ]


def test_shape_is_made_once() -> None:
    """The tree is shared."""
    assert shape_of(DocumentSpec) is document_shape()
