"""Handshakes that are refused before the upgrade."""

import json

from authproxy import problems
from authproxy.handshake import DENIAL_EXTENSION
from realtime.denials import deny
from tests.support.asgi import Recorder


async def test_carries_the_envelope_and_the_requests_id() -> None:
    send = Recorder()
    scope = {"extensions": {DENIAL_EXTENSION: {}}, "torana.request_id": b"r1"}
    await deny(scope, send, problems.unauthenticated("expired", methods=("jwt",), realm="torana"))
    start, body = send.messages

    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert (b"x-request-id", b"r1") in start["headers"]
    assert b"www-authenticate" in dict(start["headers"])
    assert json.loads(body["body"])["request_id"] == "r1"


async def test_closes_where_there_is_no_other_way() -> None:
    send = Recorder()
    await deny({}, send, problems.not_found())

    assert send.messages == [{"type": "websocket.close"}]
