"""Compressed messages, each for itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.tunnel.deflating import LEAST_COMPRESSED, Deflater, Inflater
from realtime.tunnel.violation import Violation


@given(st.lists(st.binary(min_size=LEAST_COMPRESSED, max_size=2000), min_size=1, max_size=3))
def test_what_is_packed_is_opened(messages: list[bytes]) -> None:
    """In two pieces each; nothing is kept from one to the next."""
    deflater, inflater = Deflater(12), Inflater(12)
    for message in messages:
        assert deflater.begin(message)
        first = deflater.deflate(message[:100], fin=False)
        last = deflater.deflate(message[100:], fin=True)
        assert not deflater.is_busy
        opened = inflater.inflate(first, fin=False, most=5000)
        assert opened + inflater.inflate(last, fin=True, most=5000) == message


def test_short_messages_go_as_they_are() -> None:
    assert not Deflater(12).begin(b"x" * (LEAST_COMPRESSED - 1))


def test_a_bomb_is_not_opened() -> None:
    """No more is made of it than one byte too many."""
    deflater = Deflater(15)
    deflater.begin(bytes(10_000_000))
    bomb = deflater.deflate(bytes(10_000_000), fin=True)
    with pytest.raises(Violation) as raised:
        Inflater(15).inflate(bomb, fin=True, most=1000)
    assert raised.value.code == 1009


def test_what_is_no_compressed_data() -> None:
    with pytest.raises(Violation) as raised:
        Inflater(12).inflate(b"\xff\xff\xff", fin=True, most=1000)
    assert raised.value.code == 1002
