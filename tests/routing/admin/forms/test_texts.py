"""Texts: an entry as what people type, and back, losing nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.admin.forms.leaves import Kind, Leaf, leaves
from routing.admin.forms.texts import BadText, collect, dump, flatten, parse, read, show
from routing.document.routes import RouteSpec
from routing.document.services import ServiceSpec
from tests.support.configuration import documents

ROUTE, SERVICE = leaves(RouteSpec), leaves(ServiceSpec)
EVERYTHING: dict[str, Any] = {
    "name": "a",
    "match": {
        "hosts": ["a.test", "*.b.test"],
        "path": "/x",
        "methods": ["GET"],
        "headers": {
            "x-a": "b",
            "x-m": {"regex": "beta.*"},
            "x-empty": "",
            "x-quoted": '"q"',
            "x-brace": "{a}",
        },
        "query": {"a:b": "2", "": "empty name", " spaced ": " value "},
    },
    "redirect": {"path": "/new", "status": 301, "query": ""},
    "respond": {"body": "{\n  a }\n", "headers": {"X-Json": '{"a": 1}'}},
    "rewrite": {"regex": {"pattern": "^/a", "to": ""}, "strip_prefix": True},
    "timeout": "250ms",
    "limits": {"max_body": 1024, "max_concurrency": "${MOST}"},
    "status_map": {"404": 204},
    "quotas": ["a", {"name": "b", "mode": "log"}],
    "validate": {"body_schema": {"type": "object", "required": ["a", "b"]}},
    "auth": {"level": "user", "scopes": ["read", "write"], "roles": ["all staff"]},
}


def leaf(kind: Kind, **more: Any) -> Leaf:
    return Leaf(("x",), kind, "X", **more)


def test_untouched_form_changes_nothing() -> None:
    """What was written comes back exactly, however it was spelled."""
    assert collect(EVERYTHING, ROUTE, flatten(EVERYTHING, ROUTE)) == (EVERYTHING, {})


def test_texts_alone_rebuild_the_entry() -> None:
    """Nothing hides in what was there before: the same texts typed into an empty form mean the same."""
    assert collect({}, ROUTE, flatten(EVERYTHING, ROUTE)) == (EVERYTHING, {})


@given(documents())
def test_any_valid_entry_survives_a_form(document: dict[str, Any]) -> None:
    """Opening and saving any valid service or route, unchanged, leaves it as it was."""
    for kind, known in (("services", SERVICE), ("routes", ROUTE)):
        for entry in document[kind]:
            assert collect(entry, known, flatten(entry, known)) == (entry, {})


@given(documents())
def test_any_valid_entry_can_be_typed_in(document: dict[str, Any]) -> None:
    """The texts of a route, typed into an empty form, give the route, but for what says nothing."""
    for entry in document["routes"]:
        typed, faults = collect({}, ROUTE, flatten(entry, ROUTE))
        assert faults == {}
        assert typed == _without_empty(entry)


def _without_empty(value: Any) -> Any:
    """Without empty sections and lists: an empty field cannot tell them from nothing."""
    if not isinstance(value, dict):
        return value
    kept = {key: _without_empty(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item not in ({}, [])}


def test_windows_line_ends_are_no_change() -> None:
    """Browsers send CRLF in texts of several lines (HTML, form submission)."""
    texts = {name: text.replace("\n", "\r\n") for name, text in flatten(EVERYTHING, ROUTE).items()}
    assert collect(EVERYTHING, ROUTE, texts) == (EVERYTHING, {})


def test_emptied_section_goes() -> None:
    """A section whose last field is emptied is not written any more."""
    texts = flatten(EVERYTHING, ROUTE) | {"limits__max_body": "", "limits__max_concurrency": " "}
    assert "limits" not in collect(EVERYTHING, ROUTE, texts)[0]


def test_keys_without_a_field_stay() -> None:
    """What the form does not show is not its to remove."""
    shown = [each for each in ROUTE if each.path != ("limits", "max_body")]
    texts = flatten(EVERYTHING, shown) | {"limits__max_concurrency": ""}
    assert collect(EVERYTHING, shown, texts)[0]["limits"] == {"max_body": 1024}


def test_short_form_stays_short_and_long_form_long() -> None:
    """`path: /a` is not rewritten to `path: {exact: /a}`, nor the other way round."""
    long = {"redirect": {"path": {"exact": "/a"}}}
    assert collect({}, ROUTE, {"redirect__path__exact": "/a"})[0] == {"redirect": {"path": "/a"}}
    assert collect(long, ROUTE, flatten(long, ROUTE) | {"redirect__path__exact": "/b"})[0] == {
        "redirect": {"path": {"exact": "/b"}}
    }


def test_required_text_may_be_empty() -> None:
    """A pattern without a replacement removes what it matches."""
    assert collect({}, ROUTE, {"rewrite__regex__pattern": "a"})[0]["rewrite"] == {
        "regex": {"pattern": "a", "to": ""}
    }


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (leaf(Kind.DURATION), " 250ms ", "250ms"),
        (leaf(Kind.DURATION), "5", 5),
        (leaf(Kind.DURATION), "1.5", "1.5"),
        (leaf(Kind.SIZE, numeric=True), "1024", 1024),
        (leaf(Kind.SIZE, numeric=True), "10MB", "10MB"),
        (leaf(Kind.NUMBER, numeric=True), "-5", -5),
        (leaf(Kind.NUMBER, numeric=True), "0.5", 0.5),
        (leaf(Kind.NUMBER, numeric=True), "five", "five"),
        (leaf(Kind.NUMBER, numeric=True), "${PORT}", "${PORT}"),
        (leaf(Kind.SWITCH), "yes", True),
        (leaf(Kind.SWITCH), "no", False),
        (leaf(Kind.CHOICE, numeric=True), "308", 308),
        (leaf(Kind.WORDS), "GET, POST\n PUT", ["GET", "POST", "PUT"]),
        (leaf(Kind.LINES), "read all\n\n write ", ["read all", "write"]),
        (leaf(Kind.TEXT), '""', ""),
        (leaf(Kind.LONG_TEXT), "a\n", "a\n"),
        (leaf(Kind.PAIRS), "a: b: c\nempty:", {"a": "b: c", "empty": ""}),
        (leaf(Kind.PAIRS), '"a:b": "{x}"', {"a:b": "{x}"}),
        (leaf(Kind.PAIRS, structured=True), "a: {regex: x}", {"a": {"regex": "x"}}),
        (leaf(Kind.PAIRS), "a: {regex: x}", {"a": "{regex: x}"}),
        (leaf(Kind.PAIRS, numeric=True), "404: 204", {"404": 204}),
        (leaf(Kind.STRUCTURE), "[a, {name: b}]", ["a", {"name": "b"}]),
        (leaf(Kind.STRUCTURE), "consumer", "consumer"),
    ],
)
def test_reading(field: Leaf, text: str, value: Any) -> None:
    """Each kind of text means what people mean by it; judging it is validation's business."""
    assert read(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        (leaf(Kind.PAIRS), "a", "line 1: write name: value"),
        (leaf(Kind.PAIRS), "a: 1\n: 2", "line 2: write name: value"),
        (leaf(Kind.PAIRS), "a: 1\na: 2", 'line 2: "a" is given twice'),
        (leaf(Kind.PAIRS), '"a: 1', "line 1: the quotes do not end"),
        (leaf(Kind.PAIRS, structured=True), "a: {regex", "cannot be read"),
        (leaf(Kind.STRUCTURE), "[a", "cannot be read"),
    ],
)
def test_unreadable_texts_say_why(field: Leaf, text: str, why: str) -> None:
    """The line and what would do."""
    with pytest.raises(BadText) as found:
        read(field, text)
    assert str(found.value).startswith(why)
    assert "x" in collect({}, [field], {"x": text})[1]


@given(st.dictionaries(st.text(min_size=1).filter(str.strip), st.text()))
def test_any_pairs_survive(pairs: dict[str, str]) -> None:
    """Names and values with colons, quotes, braces and line ends are quoted where they must be."""
    field = leaf(Kind.PAIRS, structured=True)
    printable = {k: v for k, v in pairs.items() if "\r" not in k + v}
    text = show(field, printable)
    assert (read(field, text) if text else {}) == printable


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(codec="ascii")),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict | list) and value)
)
def test_structures_survive(value: Any) -> None:
    """The document's notation reads back what it shows."""
    assert parse(dump(value)) == value
