"""Stored answers, packed and unpacked."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.entry import Entry, Varying
from authproxy.caching.freshness import Times
from authproxy.caching.packing import packed, packed_names, unpacked

TEXT = st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"|"))
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4)


@given(PAIRS, st.binary(max_size=50), st.lists(st.text(alphabet="abcé"), max_size=3), st.integers(0, 9))
def test_what_is_packed_is_unpacked(
    headers: list[tuple[bytes, bytes]], body: bytes, tags: list[str], number: int
) -> None:
    """All of it, whatever bytes services send."""
    entry = Entry(
        200, headers, body, Times(1.5, 2.5, 3, 4, True, False), route="r", tags=tuple(tags), number=number
    )
    found = unpacked(packed(entry))

    assert isinstance(found, Entry)
    for name in (
        "status",
        "headers",
        "body",
        "times",
        "route",
        "tags",
        "number",
        "etag",
        "last_modified",
        "size",
    ):
        assert getattr(found, name) == getattr(entry, name)


def test_names_are_unpacked_as_names() -> None:
    """In place of an answer."""
    found = unpacked(packed_names(Varying((b"accept", b"x"))))

    assert isinstance(found, Varying)
    assert found.names == (b"accept", b"x")


@given(st.one_of(st.none(), st.text(), st.binary(max_size=40)))
def test_anything_else_is_none(data: object) -> None:
    """Somebody else may have written there."""
    assert unpacked(data) is None


def test_cut_and_newer_entries_are_none() -> None:
    """Bodies come whole or not at all."""
    data = packed(Entry(200, [(b"a", b"b")], b"hello", Times(1, 2), route="r"))

    assert unpacked(packed(Entry(200, [(b"a", b"b\nc")], b"", Times(1, 2), route="r"))) is None
    assert unpacked(data[:-1]) is unpacked(data + b"x") is None
    assert unpacked(data.replace(b"A2", b"A3")) is None
    names = packed_names(Varying((b"accept",)))
    assert unpacked(names[:-1]) is unpacked(names + b"x") is None
