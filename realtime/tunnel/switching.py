"""P: What a handshake says on its way to an upstream, and what the upstream's 101 must say (RFC 6455 section 4).

The client's own key goes on, so its answer proves that the upstream speaks WebSocket. Extensions are between
neighbours: the upstream is offered none.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha1
from typing import Final

from authproxy.headers import Pair, Pairs

KEY: Final = b"sec-websocket-key"
SUBPROTOCOL: Final = b"sec-websocket-protocol"
_ACCEPT: Final = b"sec-websocket-accept"
_EXTENSIONS: Final = b"sec-websocket-extensions"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UPGRADE: Final[tuple[Pair, ...]] = ((b"connection", b"Upgrade"), (b"upgrade", b"websocket"))
_OWN: Final = frozenset(
    {_ACCEPT, _EXTENSIONS, SUBPROTOCOL, b"sec-websocket-version", b"content-length", b"date"}
)
"""What the server that accepts the client says itself."""


def asking(passed: Iterable[Pair]) -> list[Pair]:
    """The fields of the handshake as the upstream gets them."""
    return [*(pair for pair in passed if pair[0] != _EXTENSIONS), *_UPGRADE]


def values(pairs: Pairs, name: bytes) -> list[bytes]:
    """The elements of a list field, over all its lines."""
    lines = [value for key, value in pairs if key == name]
    return [part.strip() for line in lines for part in line.split(b",") if part.strip()]


def accept_of(key: bytes) -> bytes:
    """What proves that a handshake with that key was understood."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def fault_of(asked: Pairs, answered: Pairs) -> str:
    """Why a 101 is none; "" where it is one."""
    if b"websocket" not in [value.lower() for value in values(answered, b"upgrade")]:
        return "it does not go on in WebSocket"
    if b"upgrade" not in [value.lower() for value in values(answered, b"connection")]:
        return "its Connection field names no upgrade"
    keys = [value for name, value in asked if name == KEY]
    if values(answered, _ACCEPT) != [accept_of(key) for key in keys]:
        return "its Sec-WebSocket-Accept is wrong"
    if values(answered, _EXTENSIONS):
        return "it uses extensions that nobody offered"
    chosen = values(answered, SUBPROTOCOL)
    if len(chosen) > 1 or not set(chosen) <= set(values(asked, SUBPROTOCOL)):
        return "its subprotocol was not offered"
    return ""


def telling(fields: Sequence[Pair], answered: Pairs) -> list[Pair]:
    """What the client's 101 says beside what its server says itself: `fields`, and the chosen subprotocol."""
    chosen = values(answered, SUBPROTOCOL)
    return [*(pair for pair in fields if pair[0] not in _OWN), *((SUBPROTOCOL, each) for each in chosen)]
