"""I: permessage-deflate (RFC 7692) for many silent connections: nothing is kept between messages, and short ones go as
they are. A compressor that is kept is 30 kB, more than all else that a connection costs."""

from collections.abc import Sequence
from typing import Any, Final

from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import CONT, CTRL_OPCODES, Frame

LEAST_COMPRESSED: Final = 512
_WINDOW_BITS: Final = 12


class Deflate(PerMessageDeflate):
    """The extension of one connection."""

    _is_plain = True

    def encode(self, frame: Frame) -> Frame:
        if frame.opcode in CTRL_OPCODES:
            return frame
        if frame.opcode is not CONT:
            self._is_plain = len(frame.data) < LEAST_COMPRESSED
        return frame if self._is_plain else super().encode(frame)


class _Offered(ServerPerMessageDeflateFactory):
    """What clients may agree to: each message for itself, in both directions."""

    def process_request_params(
        self, params: Sequence[tuple[str, str | None]], accepted_extensions: Sequence[Any]
    ) -> tuple[list[tuple[str, str | None]], Any]:
        answered, found = super().process_request_params(params, accepted_extensions)
        extension = Deflate(
            found.remote_no_context_takeover,
            found.local_no_context_takeover,
            found.remote_max_window_bits,
            found.local_max_window_bits,
            found.compress_settings,
        )
        return answered, extension


OFFERED: Final = _Offered(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=_WINDOW_BITS,
    client_max_window_bits=_WINDOW_BITS,
    compress_settings={"memLevel": 5, "level": 1},
)
