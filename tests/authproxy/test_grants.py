"""Tests of what roles bring: remembered or not, it is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy import grants
from authproxy.grants import grant, quoted

NAMES = st.sampled_from(["a", "b", "c d", "e,f"])
WORDS = st.frozensets(NAMES)
TABLES = [{"a": frozenset({"c d", "b"})}, {"a": frozenset({"e,f"}), "b": frozenset({"a"})}, {}]


@given(asked=st.lists(st.tuples(st.sampled_from(TABLES), WORDS, WORDS, st.none() | WORDS), max_size=6))
def test_what_was_asked_before_changes_nothing(asked) -> None:
    for table, roles, direct, ceiling in asked:
        brought = direct.union(*(scopes for role, scopes in table.items() if role in roles))
        granted = grant(table, roles=roles, direct=direct, ceiling=ceiling)

        assert granted.scopes == (brought if ceiling is None else brought & ceiling)
        assert (b"x-user-roles: " in granted.lines) is bool(roles)
        assert (b"x-user-scopes: " in granted.lines) is bool(granted.scopes)
        assert granted.lines.count(b"\r\n") == bool(roles) + bool(granted.scopes)


def test_lines_are_sorted_and_separated() -> None:
    granted = grant({}, roles=frozenset({"b", "a,"}), direct=frozenset({"y", "x z"}), ceiling=None)

    assert granted.lines == b"x-user-roles: a%2C,b\r\nx-user-scopes: x%20z y\r\n"


def test_those_who_have_the_same_share_it() -> None:
    given = {"roles": frozenset({"a"}), "direct": frozenset({"b"}), "ceiling": None}

    assert grant(TABLES[0], **given) is grant(TABLES[0], **given)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, and by how long one may be."""
    monkeypatch.setattr(grants, "_MOST_KNOWN", 3)
    monkeypatch.setattr(grants, "_latest", ({}, {}))
    table = TABLES[0]
    for number in range(10):
        grant(table, roles=frozenset({str(number)}), direct=frozenset(), ceiling=None)
        assert len(grants._latest[1]) <= 3
    before = len(grants._latest[1])
    long = grant(table, roles=frozenset({"x" * 600}), direct=frozenset(), ceiling=None)

    assert len(long.lines) > 600
    assert len(grants._latest[1]) <= before


@pytest.mark.parametrize(("text", "shown"), [("a b", "a b"), (" a", "%20a"), ("ä%", "%C3%A4%25")])
def test_what_a_field_cannot_show_is_encoded(text: str, shown: str) -> None:
    assert quoted(text) == shown
