"""JSON that everybody reads alike."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.jsontext import Json, JsonFault, parse_json


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (b"", "empty", (1, 1)),
        (b" \n", "empty", (1, 1)),
        (b'{"a":\n 1,}', "malformed", (2, 3)),
        (b"NaN", "malformed", (1, 1)),
        (b"-Infinity", "malformed", (1, 2)),
        (b"[1] 2", "malformed", (1, 5)),
        (b"'a'", "malformed", (1, 1)),
        (b"\xef\xbb\xbf{}", "malformed", (1, 1)),
        ('"é\n'.encode() + b'\xff"', "encoding", (2, 1)),
        (b'{"a":1,"a":1}', "duplicate", (1, 1)),
        (b'{"a":1,"\\u0061":1}', "duplicate", (1, 1)),
        (b'[{"b":":"},{"a" :{"c":1, "c" : 2}}]', "duplicate", (1, 1)),
        (b"[" * 2000 + b"]" * 2000, "malformed", None),
    ],
)
def test_refused(data: bytes, reason: str, place: tuple[int, int] | None) -> None:
    """With the place, from 1."""
    found = parse_json(data)

    assert isinstance(found, JsonFault)
    assert found.reason == reason
    assert place is None or (found.line, found.column) == place


def test_the_member_is_named() -> None:
    """Which is there twice."""
    found = parse_json(b'{"x":1,"a":{"b":1,"b":2}}')

    assert isinstance(found, JsonFault)
    assert found.member == "b"


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", ":", '":', "\\"]), inner, max_size=4),
    ),
    max_leaves=20,
)


@given(values, st.sampled_from([(",", ":"), (" , ", " : "), (",\n", "\t:\r\n")]))
def test_values_are_read(value: object, separators: tuple[str, str]) -> None:
    """Colons and quotes in strings, and space anywhere, are no duplicates."""
    text = json.dumps(value, separators=separators)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return

    assert parse_json(data) == Json(value)


@given(values, values, st.sampled_from(["a", ":", '":', "\\"]))
def test_duplicates_are_found(one: object, other: object, name: str) -> None:
    """Wherever they are."""
    member = json.dumps(name)
    text = f"[{json.dumps(one)},{{{member}:{json.dumps(one)},{member}:{json.dumps(other)}}}]"
    found = parse_json(text.encode("utf-8", "replace"))

    assert isinstance(found, JsonFault)
    assert found.reason == "duplicate"


def test_long_texts_take_little_memory() -> None:
    """However many escapes there are in them."""
    data = rb'{"a":"\":' + rb"\n" * 600_000 + b'"}'
    tracemalloc.start()
    try:
        assert isinstance(parse_json(data), Json)
        assert tracemalloc.get_traced_memory()[1] < 25 * len(data)
    finally:
        tracemalloc.stop()
