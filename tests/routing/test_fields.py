"""Columns give back exactly what somebody wrote."""

from typing import Any

import pytest
from django.forms import modelform_factory
from hypothesis import given
from hypothesis import strategies as st

from routing.fields import WordsFormField, decode, encode, join_words, split_words
from routing.models import Route

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_comes_back_with_its_type(value: Any) -> None:
    """What goes into a column comes out equal, of the same type and in the same order."""
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)
    if isinstance(value, dict):
        assert list(back) == list(value)


@pytest.mark.parametrize(
    "text", ["30s", "${TIMEOUT:-30s}", "10MB", "", " 30", "no", "-Infinity", "nan", "[a", "tru"]
)
def test_ordinary_text_is_stored_as_it_is(text: str) -> None:
    """A person who reads the table sees what was written, not an encoding of it."""
    assert encode(text) == text


@pytest.mark.parametrize("text", ["30", "true", "null", '"a"', "{}", "[1]", "1e5", "30 "])
def test_text_that_looks_like_another_type_stays_text(text: str) -> None:
    """The text "30" and the number 30 are two values."""
    assert decode(encode(text)) == text
    assert encode(text) != text


@given(st.lists(TEXT))
def test_any_words_come_back(words: list[str]) -> None:
    """Words with spaces, quotes or nothing in them survive the column."""
    assert split_words(join_words(words)) == words


def test_plain_words_are_joined_by_spaces() -> None:
    """A search for one host finds it in the column."""
    assert join_words(["api.example.com", "*.example.com"]) == "api.example.com *.example.com"


@given(TEXT)
def test_any_typed_text_gives_words(text: str) -> None:
    """Whatever is typed into the form, splitting it does not fail."""
    assert isinstance(split_words(text), list)


def test_the_form_takes_commas_spaces_and_lines() -> None:
    """Hosts may be typed in any of the ways in which people type lists."""
    field = WordsFormField(required=False)
    assert field.clean("a.test, b.test\nc.test d.test") == ["a.test", "b.test", "c.test", "d.test"]
    assert field.clean("  ") is None
    assert not field.has_changed(["a", "b"], "a b")
    assert field.has_changed(None, "a")
    assert field.prepare_value(["a", "b"]) == "a b"


def test_forms_read_and_write_the_columns() -> None:
    """A plain form on a row gives the values that a document would."""
    form_class = modelform_factory(Route, fields=["hosts", "timeout", "rewrite"])
    form = form_class({"hosts": "a.test, b.test", "timeout": "", "rewrite": '{"prefix": "/x"}'})
    fields = {name: field.clean(form.data[name]) for name, field in form.fields.items()}
    assert fields == {"hosts": ["a.test", "b.test"], "timeout": None, "rewrite": {"prefix": "/x"}}


def test_rows_can_be_serialised() -> None:
    """`dumpdata` writes what the column holds."""
    row = Route(name="r", hosts=["a.test", "b.test"], timeout=30)
    values = {name: Route._meta.get_field(name).value_to_string(row) for name in ("hosts", "timeout")}
    assert values == {"hosts": "a.test b.test", "timeout": "30"}
    assert Route._meta.get_field("hosts").to_python("a.test b.test") == row.hosts
    assert Route._meta.get_field("timeout").to_python("5s") == "5s"
