"""The canonical form."""

import copy
import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routing.document.canonical import canonicalise, digest, dump_yaml
from routing.document.interpolation import fill
from routing.document.schema import KINDS
from routing.document.yaml import parse_text
from tests.support.documents import anything, documents


def readable(value: Any) -> Any:
    """What a file can hold: no infinite numbers, no half characters."""
    return fill(value, {}).value


UNTIDY: dict[str, Any] = {
    "routes": [
        {
            "timeout": "30s",
            "service": "b",
            "priority": 0,
            "name": "z",
            "match": {"path_type": "prefix", "path": "/a", "headers": {"x-b": "2", "x-a": "1"}},
            "auth": {"level": "user", "mode": "enforce"},
            "request_headers": {"set": {}, "add": {}},
            "rewrite": {"strip_prefix": False},
            "status_map": {404: 204, "302": 200},
            "require_headers": {"x-b": {}, "mode": "enforce", "x-a": {"one_of": []}},
            "compress": None,
        },
        {"name": "a", "redirect": {"status": 301, "port": 1}},
    ],
    "services": [
        {
            "name": "b",
            "targets": [{"url": "http://h:2", "weight": 1}, {"drain": True, "url": "http://h:1"}],
            "timeout": {"read": "30s", "connect": "2000ms"},
            "health": {"interval": "30s"},
            "tls": {"verify": True},
            "load_balancing": "round_robin",
        }
    ],
    "quotas": [],
    "defaults": {"enabled": True},
}


def test_order_and_defaults() -> None:
    """Entries by name, keys as in the schema, free names sorted, nothing that goes without saying."""
    assert dump_yaml(canonicalise(UNTIDY)) == (
        "version: 1\n"
        "services:\n"
        "- name: b\n"
        "  targets:\n"
        "  - url: http://h:2\n"
        "  - url: http://h:1\n"
        "    drain: true\n"
        "  load_balancing: round_robin\n"
        "  health: {}\n"
        "routes:\n"
        "- name: a\n"
        "  redirect:\n"
        "    port: 1\n"
        "- name: z\n"
        "  match:\n"
        "    path: /a\n"
        "    headers:\n"
        '      x-a: "1"\n'
        '      x-b: "2"\n'
        "  service: b\n"
        "  auth:\n"
        "    level: user\n"
        "  require_headers:\n"
        "    x-a: {}\n"
        "    x-b: {}\n"
        "  status_map:\n"
        '    "302": 200\n'
        '    "404": 204\n'
        "  timeout: 30s\n"
    )


def test_override_of_a_default_is_kept() -> None:
    """A route's key that repeats the schema's default matters when the document's defaults differ."""
    raw = {
        "defaults": {"priority": 5, "request_headers": {"set": {"a": "b"}}},
        "routes": [{"name": "r", "priority": 0, "request_headers": {}, "enabled": True}],
    }

    assert canonicalise(raw)["routes"] == [{"name": "r", "priority": 0, "request_headers": {}}]


def test_sections_whose_presence_means_something_stay() -> None:
    """An empty health section turns checks on; an empty rewrite does nothing."""
    raw = {"services": [{"name": "s", "health": {}, "retries": {}, "ejection": {}, "tls": {}, "timeout": {}}]}

    assert canonicalise(raw)["services"] == [{"name": "s", "retries": {}, "health": {}, "ejection": {}}]


def test_values_that_hold_anything_stay_as_written() -> None:
    """JSON Schemas and fallbacks keep their order and their nulls."""
    schema = {"type": "object", "properties": {"b": {"const": None}, "a": {}}}
    raw = {"routes": [{"name": "r", "validate": {"body_schema": schema}}]}

    [route] = canonicalise(raw)["routes"]

    assert json.dumps(route["validate"]["body_schema"]) == json.dumps(schema)


@given(documents | st.dictionaries(st.text(max_size=3), anything, max_size=3))
def test_idempotent_and_pure(raw: dict[str, Any]) -> None:
    """Twice is once, whatever is in the document, and the argument stays as it was."""
    before = copy.deepcopy(raw)
    once = canonicalise(raw)

    assert json.dumps(canonicalise(once)) == json.dumps(once)
    assert json.dumps(raw, sort_keys=True) == json.dumps(before, sort_keys=True)


@given(documents)
def test_written_and_read_again_it_is_the_same(raw: dict[str, Any]) -> None:
    """Export, read and export again: the same bytes."""
    text = dump_yaml(canonicalise(readable(raw)))

    assert dump_yaml(canonicalise(parse_text(text))) == text


@given(documents, st.randoms())
def test_digest_does_not_depend_on_order(raw: dict[str, Any], rng: random.Random) -> None:
    """Shuffled entries and keys are the same configuration."""
    value = readable(raw)

    assert digest(shuffled(value, rng)) == digest(value)


def shuffled(value: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Sections and their entries in another order; lists inside entries have an order that counts."""
    sections = []
    for name, section in value.items():
        if name in KINDS and isinstance(section, list):
            section = rng.sample(section, len(section))
            section = [dict(rng.sample([*e.items()], len(e))) if isinstance(e, dict) else e for e in section]
        sections.append((name, section))
    return dict(rng.sample(sections, len(sections)))


def test_digest_notices_every_difference() -> None:
    """Texts, numbers and booleans differ."""
    values = ["1", 1, True, 1.5, "true", None]
    digests = {digest({"routes": [{"name": "r", "match": {"path": value}}]}) for value in values}

    assert len(digests) == len(values)
    assert all(len(each) == 64 for each in digests)
