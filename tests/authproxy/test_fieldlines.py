"""Tests of fields that are written once: the lines are just those that the fields would have one by one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authproxy.fieldlines import FieldLines, read
from authproxy.upstream.serialising import encode_head

NAMES = st.one_of(
    st.sampled_from([b"content-length", b"transfer-encoding", b"X-A", b"", b"a:b"]),
    st.from_regex(rb"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
)
VALUES = st.binary(max_size=8)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@given(pairs=PAIRS, others=st.lists(st.tuples(st.just(b"x-a"), st.just(b"1")), max_size=2))
@example(pairs=[(b"a", b"1\r\nb: 2")], others=[])
@example(pairs=[(b"a", b": "), (b"a", b"")], others=[])
def test_lines_are_what_the_fields_would_be(
    pairs: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]]
) -> None:
    """Or they are refused, like anything that would end a line early or frame a body."""
    try:
        fields = FieldLines(pairs)
    except ValueError:
        controls = {*range(0x20), 0x7F} - {0x09}
        assert any(
            not name
            or name != name.lower()
            or b":" in name
            or name in (b"content-length", b"transfer-encoding")
            or not controls.isdisjoint(value)
            for name, value in pairs
        )
        return

    assert list(fields) == read(fields.lines) == pairs
    assert len(fields) == len(pairs)
    assert bool(fields) is bool(pairs)
    assert encode_head("GET", b"/", others, fields.lines) == encode_head("GET", b"/", [*others, *pairs])


def test_fields_are_looked_at_like_a_list() -> None:
    """By number, by part, and as a dictionary."""
    fields = FieldLines([(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])

    assert fields[1] == (b"b", b"2")
    assert fields[1:] == ((b"b", b"2"), (b"c", b"3"))
    assert dict(fields)[b"c"] == b"3"
    assert (b"a", b"1") in fields


def test_same_fields_are_the_same() -> None:
    """As keys of a dictionary, too."""
    one, other = FieldLines([(b"a", b"1")]), FieldLines([(b"a", b"1")])

    assert {one: 1} == {other: 1}
    assert one != FieldLines([(b"a", b"2")])
    assert one != [(b"a", b"1")]


def test_values_are_not_shown() -> None:
    """A log is no place for what somebody is told of a caller."""
    assert repr(FieldLines([(b"x-user-id", b"4711")])) == "<FieldLines ['x-user-id']>"


@pytest.mark.parametrize("number", range(70))
def test_any_number_of_names_is_judged(number: int) -> None:
    """The memory of good names is bounded, and no condition."""
    assert dict(FieldLines([(b"x-%d" % number, b"1")])) == {b"x-%d" % number: b"1"}
