"""Bodies that are read piece by piece."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.pieces import ChangedBody, ContinuedBody, MemoryBody, Pieces, collect, memory_response
from authproxy.upstream import slim

PARTS = st.lists(st.binary(max_size=8), max_size=6)


class Arriving(httpx.AsyncByteStream):
    """Gives one part a time; nothing is there without waiting."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = list(parts)
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        return b"", self.released

    async def next(self) -> tuple[bytes, bool]:
        data = self._parts.pop(0) if self._parts else b""
        self.released = not self._parts
        return data, self.released

    def trailers(self) -> list[tuple[bytes, bytes]]:
        return [(b"x-end", b"1")]

    async def aclose(self) -> None:
        self.released = True


async def read(body: Pieces) -> bytes:
    data, done = body.take()
    parts = [data]
    while not done:
        data, done = await body.next()
        parts.append(data)
    return b"".join(parts)


@given(parts=PARTS, limit=st.integers(0, 40))
async def test_collecting_takes_no_more_than_a_piece_over_the_limit(parts: list[bytes], limit: int) -> None:
    """What was read and what is left are the body, whether or not it was too long."""
    body = Arriving(parts)
    found = await collect(body, limit)
    size = sum(map(len, parts))

    assert found.complete == (size <= limit)
    assert len(found.data) <= limit + 8
    assert await read(ContinuedBody(found.data, body)) == b"".join(parts)


@given(parts=PARTS)
async def test_a_changed_body_is_what_was_made_of_it(parts: list[bytes]) -> None:
    """Each piece is changed once, and the end comes once."""
    ends: list[bool] = []
    body = ChangedBody(Arriving(parts), lambda data: data.upper() + b".", lambda: b"end", ends.append)

    assert await read(body) == b"".join(part.upper() + b"." for part in parts if part) + b"end"
    assert ends == [True]
    await body.aclose()
    assert ends == [True]
    assert body.trailers() == [(b"x-end", b"1")]


async def test_closing_closes_what_is_inside() -> None:
    """Whoever wraps a body owns it; one that was not read to its end says so."""
    inner = Arriving([b"a", b"b"])
    ends: list[bool] = []
    body = ChangedBody(ContinuedBody(b"0", inner), bytes, bytes, ends.append)
    await body.aclose()

    assert inner.released
    assert body.released
    assert ends == [False]


@pytest.mark.parametrize("data", [b"", b"whole"])
async def test_answers_from_memory(data: bytes) -> None:
    """They are there at once."""
    response = memory_response(203, [(b"a", b"b")], data)

    assert response.status_code == 203
    assert slim.raw_pairs(response) == [(b"a", b"b")]
    assert slim.body(response).take() == (data, True)
    assert (await collect(MemoryBody(data), 5)).complete
