"""Events that are posted."""

from typing import Any

import orjson
import pytest

from realtime.posting import LONGEST_KEY
from realtime.proposals import LARGEST_BODY
from tests.support.gateway import RawClient
from tests.support.streams import EVENTS, desk, reading

ONE = {"topic": "generation.1", "type": "progress", "data": {"percent": 5}}


async def test_a_service_publishes() -> None:
    """It is told ids; subscribers get the event."""
    async with desk() as there, reading(there, "?topic=generation.1") as reader:
        answer = await there.post(ONE)
        event = await reader.event()
        several = await there.post([ONE, {"user": 7, "type": "hi"}])
    told = orjson.loads(answer.body)
    assert (answer.status, told["topic"], told["type"]) == (202, "generation.1", "progress")
    assert event == {**ONE, "id": told["id"], "timestamp": told["timestamp"]}
    assert [each["topic"] for each in orjson.loads(several.body)["events"]] == ["generation.1", "user.7"]
    assert answer.header("x-request-id")


@pytest.mark.parametrize(
    ("token", "given", "status", "code"),
    [
        ("", ONE, 401, "AUTH_ERROR"),
        ("nobody", ONE, 401, "AUTH_ERROR"),
        ("ada", ONE, 403, "FORBIDDEN"),
        ("root", ONE, 202, ""),
        ("robot", [ONE, {"topic": "gateway.breakers", "type": "x"}], 403, "FORBIDDEN"),
        ("robot", b"{", 400, "VALIDATION_ERROR"),
        ("robot", [{"topic": "a"}], 400, "VALIDATION_ERROR"),
        ("robot", b" " * (LARGEST_BODY + 1), 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_who_may_and_what(token: str, given: Any, status: int, code: str) -> None:
    """All events or none: nothing of a list goes out where one is refused."""
    async with desk() as there:
        answer = await there.post(given, token=token)
        published = there.hub.tally.published
    assert answer.status == status
    if code:
        assert orjson.loads(answer.body)["error"]["code"] == code
        assert published == 0


async def test_faults_are_told_by_place() -> None:
    async with desk() as there:
        answer = await there.post([ONE, {"topic": "a b", "type": ""}])
    errors = orjson.loads(answer.body)["error"]["details"]["errors"]
    assert [each["field"] for each in errors] == ["[1].topic", "[1].type"]


async def test_a_key_makes_it_repeatable() -> None:
    """The same answer again, and no second event; another caller's key is another one."""
    async with desk() as there, reading(there, "?topic=generation.1") as reader:
        key = "Idempotency-Key: k1"
        answers = [await there.post(ONE, key) for _ in range(2)]
        other = await there.post(ONE, key, token="root")
        events = [await reader.event() for _ in range(2)]
        long = await there.post(ONE, "Idempotency-Key: " + "k" * (LONGEST_KEY + 1))
    assert answers[0].body == answers[1].body
    assert [each["id"] for each in events] == [orjson.loads(each.body)["id"] for each in (answers[0], other)]
    assert long.status == 400


async def test_other_methods_and_types() -> None:
    async with desk() as there, RawClient(there.plane.port) as client:
        answer = await client.get(EVENTS, "Authorization: Bearer robot")
        assert (answer.status, answer.header("allow")) == (405, "POST")
        typed = await client.get(
            EVENTS, "Authorization: Bearer robot", "Content-Type: text/plain", method="POST", body=b"{}"
        )
        assert typed.status == 415


async def test_without_authentication_everybody_publishes() -> None:
    async with desk(is_open=True) as there:
        assert (await there.post(ONE, token="")).status == 202
