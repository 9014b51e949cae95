"""Answers of the gateway's own endpoints."""

import orjson

from authproxy.problems import payload_too_large
from authproxy.rejections import Code, Rejection
from realtime.answering import answer_json, refuse
from tests.support.asgi import Recorder


async def test_answers_are_whole_and_not_kept() -> None:
    send = Recorder()
    await answer_json(send, 202, b"{}")
    assert (send.status, send.body, send.is_complete) == (202, b"{}", True)
    assert (send.header(b"content-length"), send.header(b"cache-control")) == (b"2", b"no-store")


async def test_refusals_have_the_envelope_and_their_fields() -> None:
    send = Recorder()
    await refuse({"torana.request_id": b"id-1"}, send, payload_too_large(5))
    assert send.status == 413
    assert orjson.loads(send.body)["request_id"] == "id-1"
    send = Recorder()
    await refuse({}, send, Rejection(Code.RATE_LIMIT, "no", headers=((b"retry-after", b"7"),)))
    assert (send.status, send.header(b"retry-after")) == (429, b"7")
