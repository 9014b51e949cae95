"""What imports share."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.scalars import NAME_PATTERN
from routing.foreign import Names, Notes, NotReadable, named_groups, reading, slug


@given(st.lists(st.text(max_size=120), max_size=20))
def test_names_can_stand_in_a_document_and_are_never_the_same(wanted: list[str]) -> None:
    """Whatever they are made of."""
    names = Names()
    given = [names.free(each) for each in wanted]

    assert len(set(given)) == len(given)
    assert all(re.fullmatch(NAME_PATTERN, name) for name in given)


def test_a_name_stays_what_it_was_where_it_can() -> None:
    """And says so where nothing is left of it."""
    assert [slug(each, "x") for each in ("orders.v1", "my orders!", "~")] == ["orders.v1", "my-orders", "x"]


def test_a_note_is_said_once_for_a_place() -> None:
    """A place may be empty: what is true of the whole."""
    notes = Notes()
    for _ in range(2):
        notes.add("routes[0]", "left out")
        notes.add("", "all of it")

    assert notes.lines() == ["routes[0]: left out", "all of it"]


def test_values_of_another_kind_are_a_fault_with_a_place() -> None:
    """Not a traceback."""
    with pytest.raises(NotReadable, match=r"routes\[3\]: a value is not of its kind"), reading("routes[3]"):
        int("many")


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        (r"/v(?<number>\d+)/(?'id'[a-z]+)", r"/v(?P<number>\d+)/(?P<id>[a-z]+)"),
        (r"(?<=a)b(?<!c)", r"(?<=a)b(?<!c)"),
        (r"\(?<b>", r"\(?<b>"),
        (r"(?P<x>y)", r"(?P<x>y)"),
    ],
)
def test_named_groups_are_spelled_as_python_does(written: str, spelled: str) -> None:
    """Looking behind is no group, and an escaped bracket is none."""
    assert named_groups(written) == spelled
    re.compile(spelled)
