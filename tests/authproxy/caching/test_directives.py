"""Cache-Control, as it comes."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching import directives
from authproxy.caching.directives import LONGEST, MOST_S, directives_of, read, seconds

NAMES = ["max-age", "no-store", "private", "x-unknown", "no-cache", "s-maxage"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"max-age=60", {b"max-age": b"60"}),
        (
            b'private="set-cookie, max-age=3", Max-Age="10"',
            {b"private": b"set-cookie, max-age=3", b"max-age": b"10"},
        ),
        (b", ,no-store,,", {b"no-store": None}),
        (b'x="a\\"b", no-cache', {b"x": b'a"b', b"no-cache": None}),
        (b'x="unterminated, no-store', {b"x": b"", b"no-store": None}),
        (b"max-age = 5;q", {b"max-age": b"5;q"}),
        (b"=, =5, no-store", {b"no-store": None}),
    ],
)
def test_values_are_read_as_far_as_they_can_be(value: bytes, found: dict[bytes, bytes | None]) -> None:
    """Quoted strings hide what is in them; faulty parts do not hide what follows."""
    assert {name: read(value)[name] for name in found} == found


def test_of_two_the_stricter_counts() -> None:
    """The shorter time, the more `min-fresh`, the bare `private`."""
    assert seconds(read(b"max-age=60, max-age=5"), b"max-age") == 5
    assert seconds(read(b"max-age=x, max-age=5"), b"max-age") == 0
    assert seconds(read(b"min-fresh=60, min-fresh=5"), b"min-fresh") == 60
    assert read(b'private="x", private')[b"private"] is None
    assert seconds(directives_of([b"max-stale", b"max-stale=3"]), b"max-stale") == 3


@pytest.mark.parametrize(
    ("argument", "number"),
    [("0", 0), ("99999999999999999999", MOST_S), ("-5", 0), ("1.5", 0), ("", 0), ('"7"', 7)],
)
def test_numbers_grant_nothing_unless_they_are_numbers(argument: str, number: int) -> None:
    """What is too large is very long; what is no number is none at all."""
    assert seconds(read(f"max-age={argument}".encode()), b"max-age") == number
    assert seconds({}, b"max-age") is None


def test_too_long_a_field_forbids_to_store() -> None:
    """Nobody reads on for ever, and nothing is granted unread."""
    assert b"no-store" in read(b"max-age=5," + b"x" * LONGEST)


@given(st.binary(max_size=200))
def test_nothing_raises(value: bytes) -> None:
    """Whatever a service sends, names are found in lower case."""
    assert all(name == name.lower() for name in read(value))


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 999))), unique_by=lambda d: d[0]
    )
)
def test_what_was_written_is_found(written: list[tuple[str, int | None]]) -> None:
    """Each directive with its argument, quoted or not, in any case."""
    parts = [name.upper() if number is None else f'{name}="{number}"' for name, number in written]

    assert dict(read(", ".join(parts).encode())) == {
        name.encode(): None if number is None else str(number).encode() for name, number in written
    }


def test_no_value_takes_long() -> None:
    """Whatever clients send, in as many requests as they like."""
    began = time.process_time()
    for number in range(100):
        read(b"(" + b" " * (LONGEST - 10) + b"(%d" % number)

    assert time.process_time() - began < 2


def test_what_is_remembered_is_short() -> None:
    """Clients choose what they send."""
    before = directives._read.cache_info().currsize
    read(b"max-age=1," + b"x" * LONGEST)

    assert directives._read.cache_info().currsize == before
