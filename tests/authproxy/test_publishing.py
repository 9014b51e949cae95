"""The destination that publishes: 202 for what the hub keeps, 503 for what nobody has promised to keep."""

from typing import Any

import orjson
import pytest

from authproxy.bus import LARGEST_BODY, Published, Unpublished
from authproxy.identity import Identity
from authproxy.publishing import refusal_of
from authproxy.rejections import Code
from tests.support.callers import Callers, gatekeeper
from tests.support.gateway import RawClient, data_plane, document, route


class FakeBus:
    """Answers what it is told to, and remembers what it was given."""

    def __init__(self, answer: Published | Unpublished) -> None:
        self.answer = answer
        self.given: list[tuple[str, bytes, bytes, dict[str, str]]] = []

    async def publish(
        self, topic: str, data: bytes, *, content_type: bytes, headers: dict[str, str]
    ) -> Published | Unpublished:
        self.given.append((topic, data, content_type, headers))
        return self.answer


def publishing(**more: Any) -> dict[str, Any]:
    return document(route("r", path="/e", publish={"topic": "a.b"}, **{"auth": {"level": "public"}, **more}))


async def test_the_event_is_answered_with_its_id() -> None:
    """And carries the body as it came, its type, and how to find the request."""
    bus = FakeBus(Published("e1"))
    async with data_plane(publishing(), more_doors={"bus": bus}) as plane, RawClient(plane.port) as client:
        answer = await client.get(
            "/e", "Content-Type: text/csv", "X-Request-ID: abc-123", method="POST", body=b"1;2"
        )
    assert answer.status == 202
    assert orjson.loads(answer.body) == {"id": "e1", "topic": "a.b", "kept_by": "hub"}
    ((topic, data, content_type, headers),) = bus.given
    assert (topic, data, content_type) == ("a.b", b"1;2", b"text/csv")
    assert headers["x-request-id"] == "abc-123"
    assert headers["traceparent"] == answer.header("traceparent")
    assert "x-consumer" not in headers


@pytest.mark.parametrize(("forward", "told"), [("headers", "ada"), ("none", None)])
async def test_the_event_says_who_sent_it(forward: str, told: str | None) -> None:
    """As services are told, unless the route tells nobody."""
    bus, callers = FakeBus(Published("e1")), Callers()
    callers.tokens[b"t"] = Identity(method="jwt", consumer="ada", user_id="7")
    raw = publishing(auth={"level": "user"}, forward_identity=forward)
    async with (
        data_plane(raw, keeper=gatekeeper(callers), more_doors={"bus": bus}) as plane,
        RawClient(plane.port) as client,
    ):
        assert (await client.get("/e", method="POST", body=b"{}")).status == 401
        assert (await client.get("/e", "Authorization: Bearer t", method="POST", body=b"{}")).status == 202
    ((*_, headers),) = bus.given
    assert headers.get("x-consumer") == told


async def test_what_nobody_confirmed_is_to_be_sent_again() -> None:
    """503 with the time to wait; without a hub, too."""
    bus = FakeBus(Unpublished("The message hub is away.", retry_after_s=2.4))
    for door, wait in ((bus, "3"), (None, "60")):
        async with (
            data_plane(publishing(), more_doors={"bus": door}) as plane,
            RawClient(plane.port) as client,
        ):
            answer = await client.get("/e", method="POST", body=b"{}")
        error = orjson.loads(answer.body)["error"]
        assert (answer.status, error["code"], answer.header("retry-after")) == (
            503,
            "SERVICE_UNAVAILABLE",
            wait,
        )
        assert error["details"]["topic"] == "a.b"


async def test_the_route_s_own_checks_come_first() -> None:
    """What they refuse is never published; nor is a body that is larger than events may be."""
    bus = FakeBus(Published("e1"))
    schema = {"type": "object", "required": ["n"]}
    raw = publishing(validate={"body_schema": schema}, limits={"max_body": 100})
    async with data_plane(raw, more_doors={"bus": bus}) as plane, RawClient(plane.port) as client:
        kind = "Content-Type: application/json"
        assert (await client.get("/e", kind, method="POST", body=b"{}")).status == 400
        assert (
            await client.get("/e", kind, method="POST", body=b'{"n":"' + b"x" * 200 + b'"}')
        ).status == 413
    async with data_plane(publishing(), more_doors={"bus": bus}) as plane, RawClient(plane.port) as client:
        assert (await client.get("/e", method="POST", body=b"x" * (LARGEST_BODY + 1))).status == 413
    assert bus.given == []


async def test_answers_are_shaped_like_any_other() -> None:
    """The envelope goes around it."""
    bus = FakeBus(Published("e1", "outbox"))
    raw = publishing(envelope=True)
    async with data_plane(raw, more_doors={"bus": bus}) as plane, RawClient(plane.port) as client:
        answer = await client.get("/e", method="POST", body=b"{}")
    assert orjson.loads(answer.body)["data"] == {"id": "e1", "topic": "a.b", "kept_by": "outbox"}


def test_what_never_fits_is_told_so() -> None:
    """No Retry-After invites a repetition."""
    refusal = refusal_of(Unpublished("too large", is_too_large=True), "t")
    assert (refusal.code, refusal.headers) == (Code.PAYLOAD_TOO_LARGE, ())
