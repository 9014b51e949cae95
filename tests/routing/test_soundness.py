"""What is known of entries that were checked before."""

from typing import Any

import pytest

from routing.document.canonical import canonicalise
from routing.soundness import ROOM, Sound, digest_of
from tests.support.configuration import large, route, service

RULES = b"rules"


def document(**more: Any) -> dict[str, Any]:
    return canonicalise({"services": [service()], "routes": [route(), route("other", "/other")], **more})


def known_of(sound: Sound, known: dict[str, Any], raw: dict[str, Any], rules: bytes = RULES) -> list[str]:
    found = sound.unchanged(known, raw, rules)
    return [entry["name"] for kind in ("services", "routes") for entry in known[kind] if id(entry) in found]


def test_what_was_learned_is_known_of_equal_entries() -> None:
    """Another worker's document of the same entries is another object; one entry of it differs."""
    sound = Sound().learned(document(), frozenset(), RULES)
    there = document()
    assert known_of(sound, there, there) == ["orders", "orders", "other"]
    there["routes"][0]["timeout"] = "9s"
    assert known_of(sound, there, there) == ["orders", "other"]


def test_what_was_noticed_is_looked_at_again() -> None:
    sound = Sound().learned(document(), frozenset({("routes", "other")}), RULES)
    there = document()
    assert known_of(sound, there, there) == ["orders", "orders"]


def test_what_the_environment_fills_in_is_looked_at_again() -> None:
    there = document(routes=[route(timeout="${WAIT:-1s}")])
    assert known_of(Sound().learned(there, frozenset(), RULES), there, there) == ["orders"]


@pytest.mark.parametrize(
    "raw",
    [
        document(defaults={"timeout": "1s"}),
        document(services=[service("another")]),
        {"services": "nothing of the kind"},
        {},
    ],
)
def test_other_surroundings(raw: dict[str, Any]) -> None:
    """Other defaults, or a name that is gone: routes may refer to it."""
    sound = Sound().learned(document(), frozenset(), RULES)
    assert known_of(sound, document(), raw) == []
    assert known_of(sound, document(), document(), b"other rules") == []


def test_more_names_make_nothing_worse() -> None:
    """And what is learned beside them is known as well."""
    more = document(services=[service(), service("another")])
    sound = Sound().learned(document(), frozenset(), RULES)
    there = document()
    assert known_of(sound, there, more) == ["orders", "orders", "other"]
    sound = sound.learned(more, frozenset(), RULES)
    assert known_of(sound, more, more) == ["another", "orders", "orders", "other"]
    assert known_of(sound, there, there) == []


def test_it_is_bounded() -> None:
    sound, few = Sound(), large(10, services=1)
    for number in range(200):
        few["routes"][number % 10]["timeout"] = f"{number + 1}s"
        sound = sound.learned(canonicalise(few), frozenset(), RULES)
        assert len(sound.digests) <= ROOM * 11 + 11
    there = canonicalise(few)
    assert len(sound.unchanged(there, there, RULES)) == 11


def test_what_is_no_json_is_not_remembered() -> None:
    assert digest_of("routes", {"name": "r", "validate": {"body_schema": {1: 2}}}) == b""
