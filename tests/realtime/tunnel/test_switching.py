"""What handshakes say, and what their answers must say."""

import pytest

from realtime.tunnel.switching import accept_of, asking, fault_of, telling

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ASKED = [(b"sec-websocket-key", KEY), (b"sec-websocket-protocol", b"chat, superchat")]
RIGHT = {
    b"upgrade": b"WebSocket",
    b"connection": b"keep-alive, Upgrade",
    b"sec-websocket-accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
}


def test_the_rfc_s_example() -> None:
    """RFC 6455 section 1.3."""
    assert accept_of(KEY) == RIGHT[b"sec-websocket-accept"]
    assert fault_of(ASKED, [*RIGHT.items()]) == ""
    assert fault_of(ASKED, [*RIGHT.items(), (b"sec-websocket-protocol", b"chat")]) == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({b"upgrade": b"h2c"}, "WebSocket"),
        ({b"connection": b"close"}, "upgrade"),
        ({b"sec-websocket-accept": b"x"}, "Accept"),
        ({b"sec-websocket-extensions": b"permessage-deflate"}, "extensions"),
        ({b"sec-websocket-protocol": b"other"}, "subprotocol"),
        ({b"sec-websocket-protocol": b"chat, superchat"}, "subprotocol"),
    ],
)
def test_answers_that_are_none(change: dict[bytes, bytes], fault: str) -> None:
    assert fault in fault_of(ASKED, [*{**RIGHT, **change}.items()])


def test_what_goes_on() -> None:
    """Extensions are the neighbours' own; the client hears the subprotocol once, and what the route says."""
    passed = [*ASKED, (b"sec-websocket-extensions", b"permessage-deflate"), (b"x-a", b"1")]
    assert (b"upgrade", b"websocket") in asking(passed)
    assert not [name for name, _ in asking(passed) if name == b"sec-websocket-extensions"]
    fields = [(b"x-b", b"2"), (b"sec-websocket-accept", b"y"), (b"date", b"now")]
    assert telling(fields, [(b"sec-websocket-protocol", b"chat")]) == [
        (b"x-b", b"2"), (b"sec-websocket-protocol", b"chat")
    ]  # fmt: skip
