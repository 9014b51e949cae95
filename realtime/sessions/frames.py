"""I: Frames to clients, built once for all who get the same event, plain and compressed (RFC 6455, RFC 7692)."""

from typing import Final

from realtime.events import Event
from realtime.protocol import event_message
from realtime.tunnel.deflating import Deflater
from realtime.tunnel.frames import TEXT, encode


def frame_of(data: bytes, bits: int = 0) -> bytes:
    """A text message in one frame; `bits` is the compressor's window, 0 for none."""
    if bits:
        deflater = Deflater(bits)
        if deflater.begin(data):
            return encode(TEXT, True, deflater.deflate(data, fin=True), masked=False, compressed=True)
    return encode(TEXT, True, data, masked=False)


class EventFrames:
    """Of the event that was asked for last: a hub delivers one event after the other."""

    __slots__ = ("_event", "_frames", "built")

    def __init__(self) -> None:
        self._event: Event | None = None
        self._frames: dict[int, bytes] = {}
        self.built = 0

    def of(self, event: Event, bits: int) -> bytes:
        """The frame of the event for connections with that window."""
        if event is not self._event:
            self._event, self._frames = event, {}
        frame = self._frames.get(bits)
        if frame is None:
            frame = self._frames[bits] = frame_of(event_message(event), bits)
            self.built += 1
        return frame


EVENTS: Final = EventFrames()
