"""I: The script of an upstream that tells what it was told."""

import orjson

from tests.support.upstreams import Peer


async def tell(peer: Peer) -> None:
    """Answers with the header fields that came, name by name."""
    while True:
        request = await peer.request()
        fields = {name.decode().lower(): value.decode() for name, value in request.headers}
        body = orjson.dumps(fields)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
