"""A body that somebody looks at before it goes on."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.bodies import BodyRefused, Replay
from authproxy.rejections import Code, Rejection
from authproxy.shaping.holding import hold, read_up_to


def exchange(*pieces: bytes, ends: bool = True, length: bytes = b"") -> Any:
    """One whose client sends these pieces, and then leaves."""
    messages: Iterable[dict[str, Any]] = [
        *({"type": "http.request", "body": piece, "more_body": True} for piece in pieces[:-1]),
        *({"type": "http.request", "body": piece, "more_body": not ends} for piece in pieces[-1:]),
    ]
    pending = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(pending, {"type": "http.disconnect"})

    return SimpleNamespace(receive=receive, head=SimpleNamespace(content_length=length))


async def rest(found: Any) -> list[tuple[bytes, bool]]:
    """What is read after."""
    read = []
    while (message := await found.receive())["type"] == "http.request":
        read.append((message["body"], message["more_body"]))
    return read


async def test_what_was_held_is_given_in_one_piece() -> None:
    """And then what comes, which the check sees."""
    seen: list[tuple[bytes, bool]] = []
    found = exchange(b"a", b"b", b"c", b"d")

    await hold(found, lambda piece, last: piece == b"b", lambda piece, last: seen.append((piece, last)))

    assert await rest(found) == [(b"ab", True), (b"c", True), (b"d", False)]
    assert seen == [(b"c", False), (b"d", True)]


async def test_a_check_ends_it() -> None:
    """At the piece that is refused."""
    found = exchange(b"a", b"b")

    def check(piece: bytes, last: bool) -> None:
        raise BodyRefused(Rejection(Code.INVALID_REQUEST, "no"))

    await hold(found, lambda piece, last: True, check)
    await found.receive()
    with pytest.raises(BodyRefused):
        await found.receive()


async def test_a_client_that_leaves_is_noticed_by_who_reads_next() -> None:
    """Nothing is given of its body."""
    found = exchange(b"a", ends=False)

    await hold(found, lambda piece, last: False)

    assert await rest(found) == []


async def test_bodies_within_a_bound() -> None:
    """Whole, or not; either way they can be read again."""
    fits, large = exchange(b"ab", b"c"), exchange(b"ab", b"c", b"d")

    assert await read_up_to(fits, 3) == b"abc"
    assert await rest(fits) == [(b"abc", False)]
    assert await read_up_to(large, 3) is None
    assert b"".join(piece for piece, _ in await rest(large)) == b"abcd"
    assert await read_up_to(exchange(b"abcd", length=b"4"), 3) is None


async def test_a_body_that_was_read_already() -> None:
    """Is taken from there."""
    found = exchange()
    found.receive = Replay(b"abc", found.receive)

    assert await read_up_to(found, 3) == b"abc"
    assert await read_up_to(found, 2) is None
