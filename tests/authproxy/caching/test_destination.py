"""A route that caches, on real sockets, with a service that counts its requests."""

import asyncio
import json

import pytest

from tests.support.gateway import RawClient, data_plane, document, route
from tests.support.origin import Origin, cached, fresh, kind
from tests.support.upstreams import ReceivedRequest, ScriptedUpstream, response


async def test_a_second_request_is_answered_from_the_cache() -> None:
    """With its age and where it comes from; the service is asked once."""
    origin = Origin(fresh(b"hello", ("X-Made", "yes")))
    async with cached(origin) as (_plane, client):
        first = await client.get("/x?q=1")
        second = await client.get("/x?q=1")

    assert (kind(first), kind(second), origin.count) == ("MISS", "HIT", 1)
    assert (second.status, second.body, second.header("x-made")) == (200, b"hello", "yes")
    assert second.header("age") == "0"
    assert first.header("cache-status") == "Torana; fwd=uri-miss; stored"
    assert (second.header("cache-status") or "").startswith("Torana; hit; ttl=")
    assert first.header("x-request-id") != second.header("x-request-id")


async def test_other_urls_are_other_answers() -> None:
    """By path, query and host."""
    origin = Origin(lambda request: fresh(request.target))
    async with cached(origin) as (_plane, client):
        bodies = [(await client.get(path)).body for path in ("/a", "/b", "/a?1", "/a")]
        await client.send(b"GET /a HTTP/1.1\r\nHost: other.test\r\n\r\n")
        other = await client.answer()

    assert bodies == [b"/a", b"/b", b"/a?1", b"/a"]
    assert (kind(other), origin.count) == ("MISS", 4)


@pytest.mark.parametrize(
    "headers",
    [
        [("Cache-Control", "no-store")],
        [("Cache-Control", "private, max-age=60")],
        [("Cache-Control", "max-age=60"), ("Set-Cookie", "a=1")],
        [("Cache-Control", "max-age=60"), ("Vary", "*")],
        [("X", "says nothing")],
    ],
)
async def test_what_may_not_be_kept_is_asked_for_each_time(headers: list[tuple[str, str]]) -> None:
    """It is passed on as ever."""
    origin = Origin(response(b"x", headers=headers))
    async with cached(origin) as (_plane, client):
        kinds = [kind(await client.get("/x")) for _ in range(3)]

    assert (kinds, origin.count) == (["MISS"] * 3, 3)


async def test_ttl_is_for_answers_that_say_nothing() -> None:
    """404 has one of its own."""
    origin = Origin(response(b"x"))
    async with cached(origin, {"ttl": "1m", "negative_ttl": "1m"}) as (_plane, client):
        kinds = [kind(await client.get("/x")) for _ in range(2)]
        origin.reply = response(b"no", status="404 Not Found")
        missing = [await client.get("/y") for _ in range(2)]
        origin.reply = fresh(b"x", ("Cache-Control", "max-age=0"))
        stale = [kind(await client.get("/z")) for _ in range(2)]

    assert kinds == ["MISS", "HIT"]
    assert [(each.status, kind(each)) for each in missing] == [(404, "MISS"), (404, "HIT")]
    assert stale == ["MISS", "MISS"]


async def test_vary_and_the_routes_own_vary_distinguish() -> None:
    """By the values that the request has."""
    origin = Origin(lambda request: fresh(b"|".join(request.values("accept")), ("Vary", "Accept")))
    async with cached(origin, {"vary": ["x-tenant"]}) as (_plane, client):
        asked = [
            await client.get("/x", f"Accept: {accept}", f"X-Tenant: {tenant}")
            for accept, tenant in [("a", "1"), ("b", "1"), ("a", "1"), ("b", "1"), ("a", "2")]
        ]

    assert [kind(each) for each in asked] == ["MISS", "MISS", "HIT", "HIT", "MISS"]
    assert [each.body for each in asked] == [b"a", b"b", b"a", b"b", b"a"]


async def test_a_stale_answer_is_asked_about() -> None:
    """304 freshens it; the client's own fields go on, its conditions do not."""

    def reply(request: ReceivedRequest) -> bytes:
        if request.values("if-none-match") == [b'"v1"']:
            return response(status="304 Not Modified", headers=[("Cache-Control", "max-age=60"), ("X", "2")])
        return fresh(b"hello", ("Cache-Control", "max-age=0"), ("ETag", '"v1"'), ("X", "1"))

    origin = Origin(reply)
    async with cached(origin) as (_plane, client):
        first = await client.get("/x")
        second = await client.get("/x")
        third = await client.get("/x")

    assert [kind(each) for each in (first, second, third)] == ["MISS", "HIT", "HIT"]
    assert (second.status, second.body, second.header("x")) == (200, b"hello", "2")
    assert second.header("cache-status") == "Torana; fwd=stale; fwd-status=304; stored"
    assert (third.header("x"), origin.count) == ("2", 2)


async def test_conditions_of_clients_are_answered() -> None:
    """From what is stored, and already when it is stored; the whole answer is kept for others."""
    origin = Origin(fresh(b"hello", ("ETag", '"v1"')))
    async with cached(origin) as (_plane, client):
        missed = await client.get("/x", 'If-None-Match: "v1"')
        same = await client.get("/x", 'If-None-Match: W/"v1"')
        other = await client.get("/x", 'If-None-Match: "v2"')

    assert (missed.status, kind(missed)) == (304, "MISS")
    assert (same.status, kind(same), same.header("etag")) == (304, "HIT", '"v1"')
    assert (other.status, other.body) == (200, b"hello")
    assert (origin.count, origin.last.values("if-none-match")) == (1, [])


async def test_requests_may_insist() -> None:
    """no-cache and max-age=0 ask anew; no-store has no part in the cache; only-if-cached has 504."""
    origin = Origin()
    async with cached(origin) as (_plane, client):
        nothing = await client.get("/x", "Cache-Control: only-if-cached")
        await client.get("/x")
        kinds = [
            kind(await client.get("/x", f"Cache-Control: {said}"))
            for said in ("no-cache", "max-age=0", "no-store", "only-if-cached", "min-fresh=120")
        ]
        pragma = await client.get("/x", "Pragma: no-cache")

    assert (nothing.status, kind(nothing)) == (504, "MISS")
    assert kinds == ["MISS", "MISS", "BYPASS", "HIT", "MISS"]
    assert kind(pragma) == "MISS"


async def test_head_is_answered_from_get() -> None:
    """Its own answers are not kept."""
    origin = Origin()
    async with cached(origin) as (_plane, client):
        await client.get("/x")
        head = await client.get("/x", method="HEAD")

    assert (head.status, kind(head), head.header("content-length"), origin.count) == (200, "HIT", "5", 1)


async def test_ranges_are_cut_out_of_what_is_stored() -> None:
    """On a miss they go to the service as they are, and its part is not taken for the whole."""
    part = response(b"he", status="206 Partial Content", headers=[("Content-Range", "bytes 0-1/5")])
    origin = Origin(lambda request: part if request.values("range") else fresh(b"hello", ("ETag", '"a"')))
    async with cached(origin) as (_plane, client):
        missed = await client.get("/x", "Range: bytes=0-1")
        whole = await client.get("/x")
        cut = await client.get("/x", "Range: bytes=-2")
        beyond = await client.get("/x", "Range: bytes=9-")
        other = await client.get("/x", "Range: bytes=0-1", 'If-Range: "b"')

    assert [each.status for each in (missed, whole, cut, beyond, other)] == [206, 200, 206, 416, 200]
    assert (cut.body, cut.header("content-range")) == (b"lo", "bytes 3-4/5")
    assert [kind(each) for each in (missed, whole, cut)] == ["MISS", "MISS", "HIT"]
    assert origin.count == 2


async def test_unsafe_methods_end_what_is_stored() -> None:
    """Of their URL, and of those that the answer names; errors end nothing."""
    origin = Origin()
    async with cached(origin) as (_plane, client):
        await client.get("/x")
        await client.get("/y")
        origin.reply = response(status="500 Oops")
        failed = await client.get("/x", method="POST", body=b"1")
        origin.reply = response(headers=[("Location", "/y"), ("Content-Location", "http://other.test/x")])
        kept = await client.get("/x")
        changed = await client.get("/x", method="DELETE")
        origin.reply = fresh(b"new")
        after = [(await client.get(path)).body for path in ("/x", "/y")]

    assert (kind(failed), kind(kept), kind(changed)) == ("BYPASS", "HIT", "BYPASS")
    assert changed.header("cache-status") == "Torana; fwd=method"
    assert after == [b"new", b"new"]


async def test_a_change_ends_what_is_on_its_way() -> None:
    """An answer that was asked for before the change is not kept after it."""
    origin = Origin()
    origin.held = asyncio.Event()
    async with cached(origin) as (plane, client), RawClient(plane.port) as other:
        await client.send(b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
        async with asyncio.timeout(5):
            await origin.arrived.wait()
        origin.held, held = None, origin.held
        await other.get("/x", method="PUT", body=b"1")
        held.set()
        await client.answer()
        origin.reply = fresh(b"new")
        after = await client.get("/x")

    assert (kind(after), after.body) == ("MISS", b"new")


async def test_a_stale_answer_stands_in_for_a_service_that_fails() -> None:
    """An error of its own, and none at all (RFC 5861 section 4)."""
    stale = ("Cache-Control", "max-age=0, stale-if-error=60")
    origin = Origin(fresh(b"hello", stale, ("ETag", '"a"')))
    async with ScriptedUpstream(origin) as upstream:
        raw = document(route(service="s", cache={}), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.get("/x")
            origin.reply = response(b"oops", status="503 Away")
            failing = await client.get("/x")
            await upstream.stop()
            gone = await client.get("/x")
            strict = await client.get("/x", "Cache-Control: no-cache")

    assert [(each.status, kind(each), each.body) for each in (failing, gone)] == [
        (200, "STALE", b"hello")
    ] * 2
    assert strict.status == 502


async def test_a_route_that_says_nothing_of_caches_has_none() -> None:
    """Its answers carry nothing of one."""
    origin = Origin()
    async with ScriptedUpstream(origin) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            answers = [await client.get("/x") for _ in range(2)]

    assert [kind(each) for each in answers] == [None, None]
    assert origin.count == 2


async def test_stored_answers_are_shaped_like_others() -> None:
    """In an envelope of their own request; parts of such bodies are not cut out, and nothing is sent to who has it."""
    origin = Origin(fresh(b'{"a":1}', ("Content-Type", "application/json"), ("ETag", '"1"')))
    async with cached(origin, envelope=True) as (_plane, client):
        first, second = [await client.get("/x", f"X-Request-ID: id-{number}") for number in range(2)]
        part = await client.get("/x", "Range: bytes=0-1")
        same = await client.get("/x", 'If-None-Match: "1"')

    assert [(kind(each), each.status) for each in (first, second, part)] == [
        ("MISS", 200),
        ("HIT", 200),
        ("HIT", 200),
    ]
    for number, answer in enumerate((first, second)):
        wrapped = json.loads(answer.body)
        assert (wrapped["data"], wrapped["request_id"]) == ({"a": 1}, f"id-{number}")
    assert (same.status, origin.count) == (304, 1)


async def test_nothing_is_left_behind() -> None:
    """Whatever became of requests: no flights, no fillings."""
    origin = Origin()
    async with cached(origin) as (plane, client):
        for reply in (
            fresh(b"x"),
            fresh(b"x", ("Cache-Control", "no-store")),
            response(status="500 Oops"),
            response(status="304 Not Modified"),
            b"garbage\r\n\r\n",
        ):
            origin.reply = reply
            for method in ("GET", "HEAD", "POST"):
                path = f"/{len(plane.finished)}"
                for header in ("X: y", "Range: bytes=0-0", "Cache-Control: no-cache", 'If-None-Match: "a"'):
                    async with RawClient(plane.port) as other:
                        await other.get(path, header, "Connection: close", method=method)
        await client.get("/last")

    assert (len(plane.cache.flights), plane.cache._open) == (0, {})


async def test_another_configuration_has_its_own_answers() -> None:
    """A changed rewrite or cache policy; the same one finds what it had."""
    origin = Origin(lambda request: fresh(request.target))
    async with ScriptedUpstream(origin) as upstream:

        def raw(**keys: object) -> dict[str, object]:
            return document(route(service="s", **{"cache": {}, **keys}), services={"s": upstream.url})

        async with data_plane(raw()) as plane, RawClient(plane.port) as client:
            kinds = [kind(await client.get("/x"))]
            for changed in (
                {},
                {"rewrite": {"prefix": "/v2"}},
                {"cache": {"ttl": "5s"}},
                {"timeout": "9s"},
                {},
            ):
                plane.publish(raw(**changed))
                kinds.append(kind(await client.get("/x")))

    assert kinds == ["MISS", "HIT", "MISS", "MISS", "HIT", "HIT"]


async def test_parts_of_an_aggregate_are_asked_for_what_the_request_says() -> None:
    """A tenant does not get what another one's parts said."""
    origin = Origin(lambda request: response(json.dumps(request.target.decode()).encode()))
    part = {"service": "s", "path": "/${request.header.x-tenant}"}
    async with ScriptedUpstream(origin) as upstream:
        raw = document(
            route(aggregate={"parts": {"a": part}}, cache={"ttl": "1m"}), services={"s": upstream.url}
        )
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            asked = [await client.get("/x", f"X-Tenant: {tenant}") for tenant in ("a", "b", "a")]

    assert [json.loads(each.body) for each in asked] == [{"a": "/a"}, {"a": "/b"}, {"a": "/a"}]
    assert [kind(each) for each in asked] == ["MISS", "MISS", "HIT"]


async def test_who_asks_for_a_service_does_not_choose_it_for_others() -> None:
    """What a canary answers to those who want it is not everybody's."""
    services = {"old": Origin(fresh(b"old")), "new": Origin(fresh(b"new"))}
    backends = [{"service": "old", "weight": 1}, {"service": "new", "weight": 0}]
    async with ScriptedUpstream(services["old"]) as old, ScriptedUpstream(services["new"]) as new:
        raw = document(
            route(backends=backends, force={"header": "x-version"}, cache={}),
            services={"old": old.url, "new": new.url},
        )
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            asked = [await client.get("/x", header) for header in ("X-Version: new", "A: b") * 2]

    assert [(each.body, kind(each)) for each in asked] == [
        (b"new", "MISS"),
        (b"old", "MISS"),
        (b"new", "HIT"),
        (b"old", "HIT"),
    ]


async def test_an_aggregate_is_kept_as_its_parts_may_be() -> None:
    """Apart by what one of them depends on; not at all if one of them says so."""
    origin = Origin(lambda request: response(b"1", headers=[("Vary", "X-Tenant"), *more]))
    more: list[tuple[str, str]] = []
    parts = {"a": {"service": "s", "path": "/a"}, "b": {"value": 1}}
    async with ScriptedUpstream(origin) as upstream:
        raw = document(route(aggregate={"parts": parts}, cache={"ttl": "1m"}), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            apart = [kind(await client.get("/x", f"X-Tenant: {tenant}")) for tenant in ("a", "b", "a")]
            more.append(("Cache-Control", "no-store"))
            never = [kind(await client.get("/y")) for _ in range(2)]

    assert apart == ["MISS", "MISS", "HIT"]
    assert never == ["MISS", "MISS"]


async def test_whom_a_trusted_proxy_names_distinguishes() -> None:
    """The service hears of it; where a client comes from does not count, nor what an untrusted one claims."""
    origin = Origin()
    fields = [
        "X-Forwarded-User: ada",
        "X-Forwarded-User: bob",
        "X-Real-IP: 1.2.3.4",
        "X-Forwarded-For: 1.2.3.4",
    ]
    for trusted, kinds in (
        (("127.0.0.0/8",), ["MISS", "MISS", "MISS", "HIT"]),
        ((), ["MISS", "HIT", "HIT", "HIT"]),
    ):
        async with ScriptedUpstream(origin) as upstream:
            raw = document(route(service="s", cache={}), services={"s": upstream.url})
            async with data_plane(raw, trusted_proxies=trusted) as plane, RawClient(plane.port) as client:
                assert [kind(await client.get("/x", field)) for field in fields] == kinds
