"""A request through the whole data plane, on real sockets: what reaches the upstream, what comes back."""

import json
from typing import Any

import pytest

from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.recording import Recording, proxied
from tests.support.upstreams import ScriptedUpstream, response


async def test_a_request_goes_through_and_its_answer_comes_back() -> None:
    """Method, path and query arrive byte for byte; status, fields and body come back."""
    recording = Recording(
        response(b"made", status="201 Created", headers=[("X-Made", "yes"), ("Set-Cookie", "a=1")])
    )
    async with proxied(recording) as (_plane, client):
        answer = await client.get("/a%20b/%C3%A9;v=1/x?q=a+b&q=%2F&empty", "Accept: */*")

    assert (answer.status, answer.body) == (201, b"made")
    assert answer.header("x-made") == "yes"
    assert recording.last.method == "GET"
    assert recording.last.target == b"/a%20b/%C3%A9;v=1/x?q=a+b&q=%2F&empty"
    assert recording.last.values("accept") == [b"*/*"]


async def test_only_the_contracts_fields_are_added_upstream() -> None:
    """Nothing beside what CONTRACT section 6 names is invented."""
    recording = Recording()
    async with proxied(recording) as (plane, client):
        await client.get("/x", "X-Mine: 1")
        host = f"gateway.test:{plane.port}"
    names = [name.lower() for name, _ in recording.last.headers]

    assert sorted(names) == sorted(
        [
            b"host",
            b"x-mine",
            b"x-forwarded-for",
            b"x-forwarded-host",
            b"x-forwarded-proto",
            b"forwarded",
            b"via",
            b"x-request-id",
            b"traceparent",
            b"x-request-timeout-ms",
        ]
    )
    assert recording.last.values("x-forwarded-for") == [b"127.0.0.1"]
    assert recording.last.values("x-forwarded-host") == [b"gateway.test"]
    assert recording.last.values("host") != [host.encode()]


async def test_only_correlation_ids_are_added_to_the_answer() -> None:
    """Server, Date and others are the upstream's business."""
    async with proxied(Recording(response(b"x", headers=[("A", "1")]))) as (_plane, client):
        answer = await client.get("/x")

    assert sorted(name for name, _ in answer.headers) == [
        "a",
        "content-length",
        "traceparent",
        "x-request-id",
    ]


async def test_ids_are_kept_when_they_are_sane() -> None:
    """The client's request id and trace context reach the upstream and come back."""
    recording = Recording()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with proxied(recording) as (_plane, client):
        answer = await client.get("/x", "X-Request-ID: abc-1", f"traceparent: {trace}")

    assert answer.header("x-request-id") == "abc-1"
    assert answer.header("traceparent") == trace
    assert recording.last.values("x-request-id") == [b"abc-1"]
    assert recording.last.values("traceparent") == [trace.encode()]


async def test_ids_are_made_when_there_are_none() -> None:
    """Each request gets its own, the same on both sides."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        first = await client.get("/x", 'X-Request-ID: not "sane"')
        second = await client.get("/x")

    assert first.header("x-request-id") != second.header("x-request-id")
    assert [value.decode() for value in recording.last.values("x-request-id")] == second.values(
        "x-request-id"
    )


async def test_duplicates_and_order_survive() -> None:
    """Repeated fields are neither merged nor reordered, in both directions."""
    recording = Recording(response(b"", headers=[("Set-Cookie", "a=1"), ("X", "1"), ("Set-Cookie", "b=2")]))
    async with proxied(recording) as (_plane, client):
        answer = await client.get("/x", "Cookie: a", "X-A: 1", "Cookie: b", "X-A: 2")

    assert answer.values("set-cookie") == ["a=1", "b=2"]
    assert recording.last.values("cookie") == [b"a", b"b"]
    assert recording.last.values("x-a") == [b"1", b"2"]


async def test_hop_by_hop_fields_stop_here_both_ways() -> None:
    """RFC 9110 section 7.6.1, with what Connection lists."""
    recording = Recording(
        response(
            b"x",
            headers=[("Connection", "X-Up"), ("X-Up", "1"), ("Keep-Alive", "timeout=5"), ("Upgrade", "h2c")],
        )
    )
    async with proxied(recording) as (_plane, client):
        answer = await client.get(
            "/x", "Connection: keep-alive, X-Drop", "X-Drop: 1", "Keep-Alive: 3", "TE: gzip"
        )

    for name in ("x-drop", "keep-alive", "te", "connection", "upgrade"):
        assert recording.last.values(name) == []
    for name in ("x-up", "keep-alive", "upgrade", "connection"):
        assert answer.header(name) is None


async def test_identity_cannot_be_claimed() -> None:
    """X-User-Id and its like never come from a client."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        await client.get("/x", "X-User-Id: 1", "X_User_Id: 1", "x-consumer: root", "X-User-Scopes: all")

    names = {name.lower().replace(b"_", b"-") for name, _ in recording.last.headers}
    assert not names & {b"x-user-id", b"x-consumer", b"x-user-scopes"}


async def test_forged_forwarding_fields_are_replaced() -> None:
    """An untrusted client's X-Forwarded-For does not survive."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        await client.get(
            "/x", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Forwarded-Proto: https"
        )

    assert recording.last.values("x-forwarded-for") == [b"127.0.0.1"]
    assert recording.last.values("x-forwarded-proto") == [b"http"]
    assert b"6.6.6.6" not in recording.last.head


async def test_a_trusted_proxys_word_is_carried_on() -> None:
    """Behind a load balancer the real client's address arrives."""
    recording = Recording()
    async with proxied(recording, trusted_proxies=("127.0.0.0/8",)) as (_plane, client):
        await client.get("/x", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")

    assert recording.last.values("x-forwarded-for") == [b"203.0.113.9, 127.0.0.1"]
    assert recording.last.values("x-forwarded-proto") == [b"https"]


async def test_the_host_is_the_targets_unless_the_route_says_otherwise() -> None:
    """`rewrite.host` and `rewrite.preserve_host` change it."""
    for rewrite, expected in (
        (None, None),
        ({"host": "inner.example"}, b"inner.example"),
        ({"preserve_host": True}, b"gateway.test"),
    ):
        recording = Recording()
        keys: dict[str, Any] = {"rewrite": rewrite} if rewrite else {}
        async with ScriptedUpstream(recording) as upstream:
            raw = document(route(service="s", **keys), services={"s": upstream.url})
            async with data_plane(raw) as plane, RawClient(plane.port) as client:
                await client.get("/x")
            wanted = expected or upstream.url.removeprefix("http://").encode()

        assert recording.last.values("host") == [wanted]


@pytest.mark.parametrize(
    ("rewrite", "path", "target"),
    [
        ({"strip_prefix": True}, "/api/v1/things?x=1", b"/things?x=1"),
        ({"strip_prefix": True}, "/api/v1", b"/"),
        ({"prefix": "/new"}, "/api/v1/a%2Db", b"/new/a%2Db"),
        ({"path": "/exact"}, "/api/v1/a?q", b"/exact?q"),
        ({"regex": {"pattern": "^/api/(.*)", "to": "/b/\\1"}}, "/api/v1/x", b"/b/v1/x"),
    ],
)
async def test_paths_are_rewritten(rewrite: dict[str, Any], path: str, target: bytes) -> None:
    """Each kind of rewrite gives the target that it says; the query stays."""
    recording = Recording()
    async with proxied(recording, path="/api/v1", rewrite=rewrite) as (_plane, client):
        await client.get(path)

    assert recording.last.target == target


@pytest.mark.parametrize(
    ("keys", "path", "target"),
    [
        ({}, "/api/x?q", b"/base/api/x?q"),
        ({"rewrite": {"strip_prefix": True}}, "/api/x", b"/base/x"),
        ({"rewrite": {"strip_prefix": True}}, "/api", b"/base"),
        ({"rewrite": {"preserve_host": True}}, "/api/x", b"/base/api/x"),
    ],
)
async def test_a_targets_base_path_comes_first(keys: dict[str, Any], path: str, target: bytes) -> None:
    """Nothing is added that neither the client nor the configuration wrote: no slash appears at the join."""
    recording = Recording()
    async with ScriptedUpstream(recording) as upstream:
        raw = document(route(path="/api", service="s", **keys), services={"s": f"{upstream.url}/base/"})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.get(path)

    assert recording.last.target == target


async def test_header_operations_apply_both_ways() -> None:
    """remove, set, add; on the request and on the answer."""
    recording = Recording(response(b"x", headers=[("X-Secret", "1"), ("Cache-Control", "max-age=5")]))
    async with proxied(
        recording,
        request_headers={"set": {"x-set": "new"}, "add": {"x-add": "2"}, "remove": ["x-gone"]},
        response_headers={"set": {"cache-control": "no-store"}, "remove": ["x-secret"]},
    ) as (_plane, client):
        answer = await client.get("/x", "X-Set: old", "X-Add: 1", "X-Gone: 1")

    assert recording.last.values("x-set") == [b"new"]
    assert recording.last.values("x-add") == [b"1", b"2"]
    assert recording.last.values("x-gone") == []
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-secret") is None


async def test_header_operations_have_the_last_word() -> None:
    """They change what the gateway itself says, too: nothing arrives twice, and what is removed stays away."""
    recording = Recording(response(b"ok", headers=[("X-Request-ID", "theirs")]))
    async with proxied(
        recording,
        request_headers={
            "set": {"X-Forwarded-Proto": "https"},
            "remove": ["forwarded", "x-forwarded-for", "via"],
        },
        response_headers={"set": {"x-request-id": "hidden"}, "remove": ["traceparent"]},
    ) as (_plane, client):
        answer = await client.get("/x")

    assert recording.last.values("x-forwarded-proto") == [b"https"]
    assert not [
        recording.last.values(name)
        for name in ("forwarded", "x-forwarded-for", "via")
        if recording.last.values(name)
    ]
    assert answer.values("x-request-id") == ["hidden"]
    assert answer.values("traceparent") == []


async def test_targets_take_turns() -> None:
    """Round robin: two targets get the same number of requests."""
    first, second = Recording(response(b"a")), Recording(response(b"b"))
    async with ScriptedUpstream(first) as one, ScriptedUpstream(second) as two:
        raw = document(route(service="s"), services={"s": [one.url, two.url]})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            bodies = [(await client.get("/x")).body for _ in range(6)]

    assert sorted(bodies) == [b"a"] * 3 + [b"b"] * 3
    assert bodies[0] != bodies[1]


async def test_reserved_endpoints_are_not_routed() -> None:
    """A catch-all never sees /admin/ or /health."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        assert (await client.get("/admin/")).body == b"builtin"
        assert (await client.get("/health")).body == b"builtin"

    assert recording.requests == []


async def test_a_redirect_and_a_fixed_answer_need_no_upstream() -> None:
    """Both carry the request's id; the redirect keeps the query."""
    raw = document(
        route("go", path="/go", redirect={"path": {"prefix": "/new"}, "status": 308}),
        route("say", path="/say", respond={"status": 418, "headers": {"x-tea": "pot"}, "body": "short"}),
    )
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        moved = await client.get("/go/there?x=1", "X-Request-ID: r1")
        said = await client.get("/say")
        silent = await client.get("/say", method="HEAD")

    assert (moved.status, moved.header("location")) == (308, "/new/there?x=1")
    assert moved.header("x-request-id") == "r1"
    assert (said.status, said.body, said.header("x-tea")) == (418, b"short", "pot")
    assert (silent.status, silent.header("content-length")) == (418, "5")


def problem(answer: Answer) -> tuple[int, str]:
    """Status and code of an error answer, after a look at the envelope's shape."""
    document = json.loads(answer.body)
    assert set(document) == {"error", "request_id", "timestamp"}
    assert set(document["error"]) == {"code", "message", "details"}
    assert document["request_id"] == answer.header("x-request-id")
    assert answer.header("content-type") == "application/json"
    return answer.status, document["error"]["code"]


async def test_refusals_have_the_contracts_shape() -> None:
    """404, 405 with Allow, and 400 for paths that nobody may send."""
    raw = document(
        route("get", path="/get", match={"methods": ["GET"]}, respond={"status": 200}),
        route("raw", path="/raw", respond={"status": 200}, allow_encoded_slashes=True),
    )
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        missing = await client.get("/nothing")
        wrong = await client.get("/get", method="POST")
        encoded = await client.get("/get/a%2Fb")
        allowed = await client.get("/raw/a%2Fb")
        null = await client.get("/raw/%00")

    assert problem(missing) == (404, "NOT_FOUND")
    assert problem(wrong) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.header("allow") == "GET"
    assert problem(encoded) == (400, "INVALID_REQUEST")
    assert allowed.status == 200
    assert problem(null) == (400, "INVALID_REQUEST")


async def test_dot_segments_are_resolved_before_matching_and_forwarding() -> None:
    """Nobody walks out of a route's prefix, and the upstream gets what was matched."""
    recording = Recording()
    async with proxied(recording, path="/public") as (_plane, client):
        inside = await client.get("/public//a/./b/../c")
        outside = await client.get("/public/%2e%2e/private")

    assert inside.status == 200
    assert recording.last.target == b"/public/a/c"
    assert outside.status == 404
    assert len(recording.requests) == 1
