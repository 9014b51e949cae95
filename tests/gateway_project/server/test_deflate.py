"""permessage-deflate that keeps nothing between messages."""

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Frame, Opcode

from gateway_project.server.deflate import LEAST_COMPRESSED, OFFERED, Deflate


def agreed() -> tuple[Deflate, PerMessageDeflate]:
    """A server's and a client's end of what both have agreed to."""
    asked = ClientPerMessageDeflateFactory(client_max_window_bits=True)
    answered, server = OFFERED.process_request_params(asked.get_request_params(), [])
    client = asked.process_response_params(answered, [])
    assert isinstance(server, Deflate)
    assert isinstance(client, PerMessageDeflate)
    return server, client


def test_nothing_is_kept_between_messages() -> None:
    """In either direction, whatever the client would have liked."""
    server, client = agreed()
    assert (server.remote_no_context_takeover, server.local_no_context_takeover) == (True, True)
    assert (client.remote_no_context_takeover, client.local_no_context_takeover) == (True, True)
    frame = server.encode(Frame(Opcode.TEXT, b"x" * 5000))
    client.decode(frame)
    assert not hasattr(server, "encoder")
    assert not hasattr(server, "decoder")


def test_long_messages_are_compressed_and_short_ones_are_not() -> None:
    """A message is one or the other as a whole, fragments and all."""
    server, client = agreed()
    short = Frame(Opcode.TEXT, b"x" * (LEAST_COMPRESSED - 1))
    assert server.encode(short) is short
    long = Frame(Opcode.BINARY, b"x" * LEAST_COMPRESSED)
    packed = server.encode(long)
    assert (packed.rsv1, len(packed.data) < 50) == (True, True)
    assert client.decode(packed).data == long.data

    first = Frame(Opcode.TEXT, b"ab", fin=False)
    last = Frame(Opcode.CONT, b"c" * 5000)
    assert [server.encode(first), server.encode(last)] == [first, last]
    parts = [Frame(Opcode.TEXT, b"a" * 5000, fin=False), Frame(Opcode.CONT, b"b")]
    opened = [client.decode(server.encode(part)).data for part in parts]
    assert b"".join(map(bytes, opened)) == b"a" * 5000 + b"b"


def test_control_frames_are_never_compressed() -> None:
    server, _ = agreed()
    ping = Frame(Opcode.PING, b"x" * 100)
    assert server.encode(ping) is ping
