"""Another status for the client."""

from authproxy.shaping.pieces import memory_response
from authproxy.shaping.statusmap import StatusMap
from authproxy.upstream import slim
from tests.support.exchanges import exchange

FIELDS = [(b"content-type", b"text/plain"), (b"etag", b'"a"'), (b"content-length", b"4")]


async def test_others_pass() -> None:
    """The same object."""
    given = memory_response(200, FIELDS, b"body")
    assert await StatusMap({404: 200}).shape(exchange(), given) is given


async def test_a_304_keeps_what_it_says_of_what_the_client_has() -> None:
    """But for its length."""
    found = await StatusMap({404: 304}).shape(exchange(), memory_response(404, FIELDS, b"body"))
    assert found.status_code == 304
    assert slim.raw_pairs(found) == FIELDS[:2]
    assert slim.body(found).take() == (b"", True)
