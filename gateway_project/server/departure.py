"""I: Tells a client that only finished sending (half-close) from one that is gone; both look like end of input.

The kernel knows only after it was made to send something: a peer that is gone then answers with a reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import Final

PROBE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
"""Any HTTP/1.1 client must skip interim responses, and every one knows this one (RFC 9110 section 15.2)."""

_TCP_CLOSE: Final = 7
_LAST_DATA_SENT_AT: Final = 44  # offset in the kernel's struct tcp_info, milliseconds as u32


@dataclass(frozen=True, slots=True)
class PeerState:
    gone: bool
    silent_s: float
    """Since we last sent anything."""


def peer_state(transport: asyncio.BaseTransport) -> PeerState:
    """Reads TCP_INFO (Linux). A socket without it is taken for gone."""
    sock = transport.get_extra_info("socket")
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT_AT + 4)
    except (AttributeError, OSError):
        return PeerState(gone=True, silent_s=0.0)
    (silent_ms,) = struct.unpack_from("=I", info, _LAST_DATA_SENT_AT)
    return PeerState(gone=info[0] == _TCP_CLOSE, silent_s=silent_ms / 1000)


def reset(transport: asyncio.BaseTransport) -> None:
    """Makes the coming close of the socket a reset, as far as it is one: plain ends look like the end of a message
    that has no other."""
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(AttributeError, OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def has_unread_input(transport: asyncio.BaseTransport) -> bool:
    """Whether bytes wait in the kernel that the event loop has not handed over yet."""
    sock = transport.get_extra_info("socket")
    try:
        duplicate = sock.dup()
    except (AttributeError, OSError):
        return False
    with duplicate:
        duplicate.setblocking(False)
        try:
            return bool(duplicate.recv(1, socket.MSG_PEEK))
        except OSError:
            return False
