"""Answers that the gateway gives itself."""

import orjson

from authproxy.answers import answer, refuse
from authproxy.exchange import Exchange
from authproxy.headers import read
from authproxy.rejections import Code, Rejection
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.snapshots import snapshot_of


def exchange_into(send: Recorder) -> Exchange:
    head = read([(b"x-request-id", b"r1")])
    return Exchange(http_scope(), playback(), send, snapshot=snapshot_of(), head=head, started=0.0)


async def test_an_answer_is_complete_and_correlated() -> None:
    """Length, Date and the request's id are there; the exchange knows its status."""
    send = Recorder()
    exchange = exchange_into(send)

    await answer(exchange, 201, [(b"x-mine", b"1")], b"body")

    assert exchange.status == 201
    assert send.body == b"body"
    assert [name for name, _ in send.headers] == [b"x-mine", b"content-length", b"date", b"x-request-id"]
    assert send.header(b"content-length") == b"4"


async def test_a_refusal_becomes_the_envelope() -> None:
    """Status, JSON, the refusal's own fields; the connection closes if the refusal says so."""
    send = Recorder()
    refusal = Rejection(Code.RATE_LIMIT, "Too fast.", headers=((b"retry-after", b"3"),), close=True)

    await refuse(exchange_into(send), refusal)

    assert send.status == 429
    assert send.header(b"retry-after") == b"3"
    assert send.header(b"connection") == b"close"
    assert orjson.loads(send.body)["request_id"] == "r1"
