"""Writing YAML: every value reads back equal, here and elsewhere, in a form that people like."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from routing.document.writer import write_yaml
from routing.document.yaml import parse_text
from tests.support.documents import texts

TRICKY = [
    *("yes", "No", "on", "y", "n", "010", "12:30", "190:20:30", "1e3", "0x1f", "0o7", "0b1", "1_000", "+1", ".5"),
    *("1.", "~", "null", ".inf", "-.NaN", "2026-01-01", "=", "<<", "---", "...", "-", "?", "", " a", "a ", "\ta"),
    *("- a", "a:", "a: b", "a #b", "#a", "*a", "-a", "&a", "!a", "%a", "@a", "`a", "|", ">", "[a]", "{a}", "a,b"),
    *("'a'", '"a"', "\\", "a\nb", "a\nb\n", "a\nb\n\n", "\na", " a\nb", "a \nb", "a\n  b\n\nc\n", "a\n---\nb"),
    *("a\n...\n", "a\r\nb", "a\tb\nc", "\u2028", "a\u2028b\nc", "\x85", "\xa0", "\ufeff", "\x00", "\x7f", "é"),
    *("中\n文", "😀", "😀\nx", "\uffff", "/a:b", "*.example.com", "${A:-b}", "-----BEGIN X-----\na\n"),
]  # fmt: skip
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.text("yesno10:-. \n\t#'\"[]{},&*!|>%@`~\u2028\x85é"),
    st.sampled_from(TRICKY),
)
keys = texts | scalars.map(str)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)


def assert_reads_back(value: dict[str, Any]) -> None:
    text = write_yaml(value)

    assert parse_text(text) == value
    assert yaml.load(text, yaml.CSafeLoader) == value
    assert yaml.load(text, yaml.SafeLoader) == value


@given(st.dictionaries(keys, values, max_size=5))
def test_every_value_reads_back_equal(value: dict[str, Any]) -> None:
    """Our reader and a YAML 1.1 reader with all its surprises see what was written."""
    assert_reads_back(value)


@pytest.mark.parametrize("text", TRICKY)
def test_every_place_takes_every_text(text: str) -> None:
    """Under a key, in lists, in mappings in lists, and as a key."""
    assert_reads_back(
        {"a": text, "b": [text, text], "c": [{"d": text, text: 1}], "e": [[text], {}], f"{text}x": []}
    )


def test_form_that_people_like() -> None:
    """Mappings in blocks, short lists in one line, several lines as a block, no quotes without need."""
    value = {
        "services": [
            {"name": "a", "targets": [{"url": "http://127.0.0.1:1"}, {"url": "http://b", "weight": 2}]}
        ],
        "match": {"hosts": ["*.example.com", "x.y"], "path": "/a/{id}", "priority": -1, "enabled": True},
        "timeout": "30s",
        "size": "10MB",
        "mode": "no",
        "body": "one\n\ntwo\n",
        "empty": {},
        "nested": [["a"], []],
        "long": ["x" * 60, "y" * 60],
    }
    assert write_yaml(value) == (
        "services:\n"
        "- name: a\n"
        "  targets:\n"
        "  - url: http://127.0.0.1:1\n"
        "  - url: http://b\n"
        "    weight: 2\n"
        "match:\n"
        '  hosts: ["*.example.com", x.y]\n'
        '  path: "/a/{id}"\n'
        "  priority: -1\n"
        "  enabled: true\n"
        "timeout: 30s\n"
        "size: 10MB\n"
        'mode: "no"\n'
        "body: |\n"
        "  one\n"
        "\n"
        "  two\n"
        "empty: {}\n"
        "nested:\n"
        "- [a]\n"
        "- []\n"
        "long:\n"
        f"- {'x' * 60}\n"
        f"- {'y' * 60}\n"
    )


def test_empty_document() -> None:
    """Nothing is an empty mapping."""
    assert write_yaml({}) == "{}\n"
