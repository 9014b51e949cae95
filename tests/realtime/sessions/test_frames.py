"""Frames of events: one for all who get it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from realtime.events import Event
from realtime.sessions.frames import EventFrames, frame_of
from realtime.tunnel.frames import TEXT, FrameReader


def read(frame: bytes, bits: int = 0) -> bytes:
    reader = FrameReader(masked=False, max_message=10**6, inflate_bits=bits)
    reader.feed(frame)
    piece = reader.next()
    assert piece is not None
    assert piece[:2] == (TEXT, True)
    return piece[2]


@given(text=st.text(max_size=2000), bits=st.sampled_from([0, 9, 12, 15]))
def test_is_read_back(text: str, bits: int) -> None:
    assert read(frame_of(text.encode(), bits), bits) == text.encode()


def test_is_built_once_for_all_of_one_kind() -> None:
    frames, event = EventFrames(), Event("1-0", "t", "x", "y" * 2000, "")
    plain, packed = frames.of(event, 0), frames.of(event, 12)

    assert frames.of(event, 0) is plain
    assert frames.of(event, 12) is packed
    assert len(packed) < 200 < len(plain)
    assert json.loads(read(packed, 12))["data"] == "y" * 2000
    assert frames.of(Event("2-0", "t", "x", 1, ""), 0) != plain
    assert frames.built == 3
