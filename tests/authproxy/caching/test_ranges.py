"""Parts of bodies."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.ranges import Part, Unsatisfiable, content_range, part_of


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (b"bytes=0-3", Part(0, 3)),
        (b"bytes=7-", Part(7, 9)),
        (b"bytes=-3", Part(7, 9)),
        (b"bytes=-30", Part(0, 9)),
        (b"BYTES = 2-100", Part(2, 9)),
        (b"bytes=10-", Unsatisfiable()),
        (b"bytes=-0", Unsatisfiable()),
        (b"bytes=5-2", None),
        (b"bytes=0-1,4-5", None),
        (b"bytes=-", None),
        (b"bytes=a-b", None),
        (b"items=0-1", None),
        (b"bytes=0-1" + b"9" * 30, None),
    ],
)
def test_one_range_of_ten_bytes(value: bytes, part: Part | Unsatisfiable | None) -> None:
    """RFC 9110 section 14.1.2; several, and what is none, get the whole."""
    assert part_of(value, 10) == part
    assert isinstance(part_of(value, 10), type(part))


def test_an_empty_body_has_no_part() -> None:
    """Nothing of it can be sent."""
    assert isinstance(part_of(b"bytes=0-", 0), Unsatisfiable)
    assert isinstance(part_of(b"bytes=-1", 0), Unsatisfiable)


@given(st.integers(0, 50), st.one_of(st.none(), st.integers(0, 50)), st.integers(1, 40))
def test_parts_are_those_of_slicing(first: int, last: int | None, size: int) -> None:
    """What a client gets is what it would have cut out itself."""
    body = bytes(range(size))
    found = part_of(f"bytes={first}-{'' if last is None else last}".encode(), size)
    wanted = body[first : None if last is None else last + 1]

    if isinstance(found, Part):
        assert body[found.first : found.last + 1] == wanted
        assert content_range(found, size) == f"bytes {found.first}-{found.last}/{size}".encode()
    else:
        assert wanted == b""


def test_nothing_is_said_of_a_part_that_there_is_not() -> None:
    """But how long the body is."""
    assert content_range(Unsatisfiable(), 10) == b"bytes */10"


def test_no_value_takes_long() -> None:
    """It is ignored."""
    began = time.process_time()

    assert [part_of(b"bytes=1-" + b" " * 60_000 + b"x", 10) for _ in range(3)] == [None] * 3
    assert time.process_time() - began < 2
