"""Bodies that an expression makes of others; on sockets in tests/functional/test_transformation.py."""

import pytest

from authproxy.relaying import AnswerRefused
from authproxy.shaping.pieces import memory_response
from authproxy.shaping.transform import RequestTransform, ResponseTransform
from authproxy.upstream import slim
from routing.document.jmespaths import compiled
from routing.shapes.transform import Expression
from tests.support.exchanges import exchange

JSON = [(b"content-type", b"application/json"), (b"content-length", b"9")]


def expression(text: str) -> Expression:
    return Expression(text, compiled(text))


async def shaped(
    text: str, body: bytes, status: int = 200, limit: int = 100
) -> tuple[bytes, tuple[object, ...]]:
    made = exchange()
    shaper = ResponseTransform(made.route, expression(text), limit)
    found = await shaper.shape(made, memory_response(status, JSON, body))
    return slim.body(found).take()[0], tuple(made.answer_fields)


async def test_answers() -> None:
    """A success is transformed, an error and a part are not."""
    assert await shaped("a", b'{"a":1.5}') == (b"1.5", ())
    assert (await shaped("a", b'{"a":1}', status=404))[0] == b'{"a":1}'
    assert (await shaped("a", b'{"a":1}', status=206))[0] == b'{"a":1}'
    assert (await shaped("b", b'{"a":1}'))[0] == b"null"


async def test_answers_that_do_not_fit() -> None:
    """They are the service's fault."""
    with pytest.raises(AnswerRefused) as refused:
        await shaped("length(a)", b'{"a":1}')
    assert refused.value.rejection.status == 502


async def test_requests_without_a_body_pass() -> None:
    """There is nothing to make one of."""
    made = exchange(method="POST", headers=[(b"content-type", b"application/json")])
    before = made.receive
    assert await RequestTransform(expression("a"), 10).step(made) is None
    assert made.receive is before
