"""JSON to gRPC and back, against a real server."""

import asyncio
from typing import Any

import grpc
import orjson
import pytest

from authproxy.grpc.statuses import status_of
from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.grpcserver import EchoServer, Everything, echo_server


def plane_for(
    echo: EchoServer, *, method: str = "Say", service: dict[str, Any] | None = None, **more: Any
) -> Any:
    call = {"service": "echo.Echo", "method": method, **more.pop("grpc", {})}
    keys = {"path": "/say", "service": "echo", "grpc": call, **more}
    upstream = {"protocol": "grpc", "targets": [{"url": echo.url}], **(service or {})}
    return data_plane(document(route(**keys), services={"echo": upstream}))


async def ask(plane: DataPlane, path: str = "/say", *fields: str, body: Any = None, method: str = "") -> Any:
    data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    async with RawClient(plane.port) as client:
        return await client.get(path, *fields, method=method or ("POST" if data else "GET"), body=data)


async def test_a_body_is_the_message() -> None:
    """And the answer is JSON, with 64-bit integers as strings, enums by name, and maps, oneofs and times."""
    body = {
        "aString": "hi",
        "aInt64": "9007199254740993",
        "colour": "BLUE",
        "at": "2026-01-01T12:00:00Z",
        "counts": {"x": 3},
        "left": "l",
        "inner": {"aBool": True},
        "tags": ["a", "b"],
    }
    async with echo_server() as echo, plane_for(echo) as plane:
        answer = await ask(plane, body=body)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    told = orjson.loads(answer.body)
    assert {name: told[name] for name in ("aString", "aInt64", "colour", "at", "left", "tags")} == {
        name: body[name] for name in ("aString", "aInt64", "colour", "at", "left", "tags")
    }
    assert told["counts"] == {"x": "3"}
    assert told["inner"]["aBool"] is True


async def test_without_a_body_fields_come_from_query_and_path() -> None:
    """Dotted names lead deeper, repeated ones make lists, and the path has the last word."""
    match = {"path_type": "template"}
    async with echo_server() as echo, plane_for(echo, path="/say/{a_string}", match=match) as plane:
        answer = await ask(plane, "/say/x%20y?a_int32=7&inner.aBool=true&tags=a&tags=b")
        told = orjson.loads(answer.body)
        assert (told["aString"], told["aInt32"], told["tags"]) == ("x y", 7, ["a", "b"])
        assert told["inner"]["aBool"] is True
        over = await ask(plane, "/say/x", body={"a_string": "y", "aInt32": 1})
        assert orjson.loads(over.body)["aString"] == "x"


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/say", b"{", ""),
        ("/say", b"[1]", ""),
        ("/say", b'{"nothing": 1}', ""),
        ("/say", b'{"aInt32": "x"}', "aInt32"),
        ("/say", b'{"colour": "GREEN"}', "colour"),
        ("/say", b'{"left": "a", "right": "b"}', ""),
        ("/say?nothing=1", b"", "nothing"),
        ("/say?inner.nothing=1", b"", "inner.nothing"),
        ("/say?a_string=1&a_string=2", b"", "a_string"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_place(path: str, body: bytes, place: str) -> None:
    """And the service hears nothing of it."""
    async with echo_server() as echo, plane_for(echo) as plane:
        answer = await ask(plane, path, body=body or None)
    error = orjson.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["details"]["field"] == place
    assert error["details"]["message"]
    assert not echo.metadata


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
async def test_each_status_has_its_own_in_http(code: grpc.StatusCode) -> None:
    """The envelope says what the service said."""

    async def fail(_message: Any, context: Any) -> Any:
        await context.abort(code, "as told")

    async with echo_server() as echo, plane_for(echo) as plane:
        echo.say = fail
        answer = await ask(plane, body={"aString": "x"})
    status = status_of(code.value[0])
    error = orjson.loads(answer.body)["error"]
    assert (answer.status, answer.header("grpc-status")) == (status.http, str(status.number)), answer.body
    assert error["details"]["grpc"] == {
        "status": code.name,
        "code": status.number,
        "message": "as told",
        "details": [],
    }


async def test_streams_are_lines_or_events() -> None:
    """As Accept says, each message as it comes; the first does not wait for the second."""
    more = asyncio.Event()

    async def slowly(_message: Any, _context: Any) -> Any:
        yield Everything(a_int32=1)
        await more.wait()
        yield Everything(a_int32=2)

    async with echo_server() as echo, plane_for(echo, method="Count") as plane:
        lines = await ask(plane, body={"aString": "x"})
        assert lines.header("content-type") == "application/x-ndjson"
        assert [orjson.loads(line)["aInt32"] for line in lines.body.splitlines()] == [0, 1, 2]
        echo.count = slowly
        asyncio.get_running_loop().call_later(0.05, more.set)
        events = await ask(plane, "/say", "Accept: text/event-stream", body={"aString": "x"})
        assert events.header("content-type") == "text/event-stream"
        assert [orjson.loads(each[6:])["aInt32"] for each in events.body.split(b"\n\n")[:-1]] == [1, 2]


async def test_a_stream_that_breaks_says_so() -> None:
    """As its last item; before its first message, as any other call."""

    async def breaking(message: Any, context: Any) -> Any:
        if message.a_bool:
            yield Everything(a_int32=1)
        await context.abort(grpc.StatusCode.NOT_FOUND, "gone")

    async with echo_server() as echo, plane_for(echo, method="Count") as plane:
        echo.count = breaking
        assert (await ask(plane, body={"aInt32": 1})).status == 404
        answer = await ask(plane, body={"aBool": True})
    first, last = answer.body.splitlines()
    assert orjson.loads(first)["aInt32"] == 1
    assert orjson.loads(last)["error"]["details"]["grpc"]["status"] == "NOT_FOUND"


async def test_metadata_goes_both_ways_as_chosen() -> None:
    """Beside what every service is told; nothing else of the client's does."""

    async def trailing(message: Any, context: Any) -> Any:
        context.set_trailing_metadata((("x-cost", "5"), ("x-secret", "s")))
        return message

    chosen = {"metadata": ["X-Tenant"], "answer_metadata": ["x-cost"]}
    async with echo_server() as echo, plane_for(echo, grpc=chosen) as plane:
        echo.say = trailing
        answer = await ask(
            plane, "/say", "X-Tenant: acme", "X-Other: o", "X-Request-ID: abc-123", body={"aBool": True}
        )
    (seen,) = echo.metadata
    assert (seen["x-tenant"], seen["x-request-id"]) == ("acme", "abc-123")
    assert "x-other" not in seen
    assert "traceparent" in seen
    assert answer.header("x-cost") == "5"
    assert answer.header("x-secret") is None


async def test_time_is_told_and_ends_the_call() -> None:
    """What the client allows is what the service is told; nobody is to blame for it."""
    left: list[float] = []
    ended = asyncio.Event()

    async def never(_message: Any, context: Any) -> Any:
        left.append(context.time_remaining())
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with echo_server() as echo, plane_for(echo) as plane:
        echo.say = never
        answer = await ask(plane, "/say", "X-Request-Timeout-Ms: 200", body={"aBool": True})
        await asyncio.wait_for(ended.wait(), 5)
    assert answer.status == 504
    assert orjson.loads(answer.body)["error"]["code"] == "UPSTREAM_TIMEOUT"
    assert 0 < left[0] <= 0.2


async def test_who_leaves_ends_the_stream() -> None:
    """The service learns of it."""
    ended = asyncio.Event()

    async def endless(_message: Any, _context: Any) -> Any:
        try:
            while True:
                yield Everything(a_int32=1)
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    async with echo_server() as echo, plane_for(echo, method="Count") as plane:
        echo.count = endless
        reader, writer = await asyncio.open_connection("127.0.0.1", plane.port)
        writer.write(b"GET /say HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in await reader.readline()
        writer.close()
        await asyncio.wait_for(ended.wait(), 5)


async def test_large_messages_have_a_bound() -> None:
    """Megabytes pass; what is over the route's own limit is refused."""
    large = {"aString": "x" * (6 << 20)}
    async with echo_server() as echo, plane_for(echo) as plane:
        answer = await ask(plane, body=large)
        assert len(orjson.loads(answer.body)["aString"]) == 6 << 20
    async with echo_server() as echo, plane_for(echo, limits={"max_body": "1MB"}) as plane:
        assert (await ask(plane, body=large)).status == 413


async def test_what_never_arrived_is_tried_at_another_target() -> None:
    """A POST, too; and UNAVAILABLE only where the method may be repeated."""
    tries: list[str] = []

    async def unavailable(message: Any, context: Any) -> Any:
        tries.append(message.a_string)
        if len(tries) == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return message

    async with echo_server() as gone:
        pass
    async with echo_server() as echo:
        service = {
            "targets": [{"url": gone.url}, {"url": echo.url}],
            "retries": {"attempts": 2, "backoff": "1ms"},
        }
        async with plane_for(echo, service=service) as plane:
            for _ in range(3):
                assert (await ask(plane, body={"aString": "x"})).status == 200
        async with plane_for(echo, service={"retries": {"attempts": 2, "backoff": "1ms"}}) as plane:
            echo.say = unavailable
            assert (await ask(plane, "/say?aString=get")).status == 200
            assert tries == ["get", "get"]
            tries.clear()
            assert (await ask(plane, body={"aString": "post"})).status == 503
            assert tries == ["post"]


@pytest.mark.parametrize(
    ("service", "method", "said"),
    [("echo.Echo", "Nothing", "no method"), ("echo.None", "Say", "does not know")],
)
async def test_a_method_that_is_not_there_is_explained(service: str, method: str, said: str) -> None:
    """When it is first called."""
    call = {"service": service, "method": method}
    async with echo_server() as echo, plane_for(echo, grpc=call) as plane:
        answer = await ask(plane, body={"aBool": True})
    error = orjson.loads(answer.body)["error"]
    assert (answer.status, error["details"]["reason"]) == (502, "grpc_method")
    assert said in error["message"]


async def test_a_server_without_reflection_is_explained() -> None:
    """So is one that is away."""
    async with echo_server(reflects=False) as echo, plane_for(echo) as plane:
        answer = await ask(plane, body={"aBool": True})
    assert "no reflection" in orjson.loads(answer.body)["error"]["message"]
    async with plane_for(echo) as plane:
        answer = await ask(plane, body={"aBool": True})
    assert "could not be asked" in orjson.loads(answer.body)["error"]["message"]


@pytest.mark.parametrize("method", ["Collect", "Talk"])
async def test_streams_of_requests_are_refused(method: str) -> None:
    """With a reason of their own."""
    async with echo_server() as echo, plane_for(echo, method=method) as plane:
        answer = await ask(plane, body={"aBool": True})
    assert (answer.status, answer.header("grpc-status")) == (501, "12")
    assert orjson.loads(answer.body)["error"]["details"]["reason"] == "client_streaming"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("application/grpc", "grpc_passthrough"),
        ("application/grpc-web+proto", "grpc_passthrough"),
        ("text/csv", "content_type"),
    ],
)
async def test_other_bodies_are_refused(kind: str, reason: str) -> None:
    """gRPC itself gets the status that its clients look for."""
    async with echo_server() as echo, plane_for(echo) as plane:
        answer = await ask(plane, "/say", f"Content-Type: {kind}", body=b"\0\0\0\0\0")
    assert answer.status == 415
    assert orjson.loads(answer.body)["error"]["details"]["reason"] == reason
    assert answer.header("grpc-status") == ("12" if reason == "grpc_passthrough" else None)
