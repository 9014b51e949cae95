"""Frames, against another implementation of the protocol and however they are cut."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from realtime.tunnel.frames import BINARY, CLOSE, CONT, PING, STREAMED, TEXT, FrameReader, Piece, encode
from realtime.tunnel.violation import Violation

MESSAGES = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY]), st.lists(st.text(max_size=40), min_size=1, max_size=4)),
    max_size=4,
)


def read(reader: FrameReader, *parts: bytes) -> list[Piece]:
    found = []
    for part in parts:
        reader.feed(part)
        while (piece := reader.next()) is not None:
            found.append(piece)
    return found


def written(messages: list[tuple[int, list[str]]], *, mask: bool) -> bytes:
    """By the library."""
    data = b""
    for op, parts in messages:
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            kind = Opcode(op if number == 0 else CONT)
            data += Frame(kind, part.encode(), fin=is_last).serialize(mask=mask, extensions=[])
    return data


@given(MESSAGES, st.booleans(), st.data())
def test_the_library_s_frames_are_read(
    messages: list[tuple[int, list[str]]], mask: bool, data: st.DataObject
) -> None:
    """Fragment by fragment, wherever the bytes are cut."""
    whole = written(messages, mask=mask)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    found = read(FrameReader(masked=mask, max_message=10_000), *parts)
    assert found == [
        (op if number == 0 else CONT, number == len(texts) - 1, text.encode())
        for op, texts in messages
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 200_001])
@pytest.mark.parametrize("masked", [True, False])
def test_sizes(size: int, masked: bool) -> None:
    """A long frame goes on in pieces; nothing is lost, and the message ends once."""
    sent = bytes(range(256)) * (size // 256 + 1)
    frame = encode(BINARY, True, sent[:size], masked=masked)
    reader = FrameReader(masked=masked, max_message=size)
    found = read(reader, *(frame[start : start + 10_000] for start in range(0, len(frame), 10_000)))
    assert b"".join(data for _, _, data in found) == sent[:size]
    assert [fin for _, fin, _ in found] == [False] * (len(found) - 1) + [True]
    assert [op for op, _, _ in found] == [BINARY, *[CONT] * (len(found) - 1)]
    assert (len(found) > 1) is (size > STREAMED)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (b"\x83\x00", 1002, "reserved"),
        (b"\xa1\x00", 1002, "reserved"),
        (b"\xc1\x00", 1002, "reserved"),
        (b"\x81\x80\0\0\0\0", 1002, "masking"),
        (b"\x09\x00", 1002, "control"),
        (b"\x89\x7e\x00\x7e", 1002, "control"),
        (b"\x80\x00", 1002, "order"),
        (b"\x01\x00\x01\x00", 1002, "order"),
        (b"\x82\x7e\x00\x05", 1002, "length"),
        (b"\x82\x7f" + (5).to_bytes(8, "big"), 1002, "length"),
        (b"\x82\x7f" + b"\xff" * 8, 1002, "length"),
        (b"\x82\x65", 1009, "100"),
        (b"\x81\x01\xff", 1007, "UTF-8"),
        (b"\x88\x01\x03", 1002, "close"),
    ],
)
def test_what_is_against_the_rules(data: bytes, code: int, reason: str) -> None:
    """RFC 6455 section 5."""
    reader = FrameReader(masked=False, max_message=100)
    with pytest.raises(Violation, match=reason) as raised:
        read(reader, data)
    assert raised.value.code == code


def test_clients_must_mask() -> None:
    with pytest.raises(Violation, match="masking"):
        read(FrameReader(masked=True, max_message=10), b"\x81\x01a")


def test_text_is_checked_across_fragments() -> None:
    """A character may be cut, but not left out."""
    euro = "€".encode()
    reader = FrameReader(masked=False, max_message=10)
    frames = [encode(TEXT, False, euro[:1], masked=False), encode(CONT, True, euro[1:], masked=False)]
    assert [fin for _, fin, _ in read(reader, *frames)] == [False, True]
    with pytest.raises(Violation, match="UTF-8"):
        read(reader, encode(TEXT, False, euro[:1], masked=False), encode(CONT, True, b"a", masked=False))


def test_control_frames_come_between_fragments() -> None:
    """They belong to no message, and what follows a close is not looked at."""
    reader = FrameReader(masked=False, max_message=10)
    data = b"\x01\x01a" + b"\x89\x01p" + b"\x80\x01b" + b"\x88\x02\x03\xe8" + b"\xff\xff"
    assert read(reader, data) == [
        (TEXT, False, b"a"), (PING, True, b"p"), (CONT, True, b"b"), (CLOSE, True, b"\x03\xe8")
    ]  # fmt: skip
    assert reader.close == (1000, "")


@given(st.binary(max_size=300), st.integers(0, 3))
def test_compressed_messages_are_opened(data: bytes, cuts: int) -> None:
    """RFC 7692, in fragments or whole; no more than a message may have."""
    stream = zlib.compressobj(1, zlib.DEFLATED, -12)
    packed = (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]
    step = len(packed) // (cuts + 1) or 1
    parts = [packed[start : start + step] for start in range(0, len(packed), step)] or [b""]
    frames = [
        encode(
            BINARY if number == 0 else CONT,
            number == len(parts) - 1,
            part,
            masked=False,
            compressed=number == 0,
        )
        for number, part in enumerate(parts)
    ]
    found = read(FrameReader(masked=False, max_message=300, inflate_bits=15), *frames)
    assert b"".join(piece for _, _, piece in found) == data
    if data:
        with pytest.raises(Violation) as raised:
            read(FrameReader(masked=False, max_message=len(data) - 1, inflate_bits=15), *frames)
        assert raised.value.code == 1009


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, mask: bool) -> None:
    """Nothing else is raised."""
    reader = FrameReader(masked=mask, max_message=50, inflate_bits=12)
    code = 0
    try:
        read(reader, data)
    except Violation as violation:
        code = violation.code
    assert code in (0, 1002, 1007, 1009)
