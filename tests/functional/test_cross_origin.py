"""Pages of other origins, addresses and security fields, through the whole data plane on real sockets."""

from typing import Any

import pytest

from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.recording import Recording
from tests.support.upstreams import ScriptedUpstream, response

APP = "https://app.test"
FROM_APP = f"Origin: {APP}"
CORS = {"origins": [APP], "credentials": True, "headers": ["authorization"], "max_age": "10m"}
CLOSED = {"auth": {"level": "user"}}
AWAY = "http://127.0.0.1:1"


def asks(method: str, fields: str = "") -> list[str]:
    """The fields of a preflight."""
    asked = [FROM_APP, f"Access-Control-Request-Method: {method}"]
    return [*asked, f"Access-Control-Request-Headers: {fields}"] if fields else asked


async def asked(raw: dict[str, Any], path: str, *fields: str, method: str = "GET", **more: Any) -> Answer:
    async with data_plane(raw, **more) as plane, RawClient(plane.port) as client:
        return await client.get(path, *fields, method=method)


async def test_a_preflight_is_answered_before_anybody_asks_who_calls() -> None:
    """On a closed route, whose methods do not name OPTIONS, and without asking the service."""
    recording = Recording()
    async with ScriptedUpstream(recording) as upstream:
        closed = route(service="s", path="/x", cors=CORS, match={"methods": ["GET", "PUT"]}) | CLOSED
        raw = document(closed, services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            answer = await client.get("/x", *asks("PUT", "authorization"), method="OPTIONS")
            plain = await client.get("/x", FROM_APP, method="OPTIONS")
            other = await client.get("/x", *asks("DELETE"), method="OPTIONS")

    assert answer.status == 204
    assert dict(answer.headers) | {"date": "", "x-request-id": "", "traceparent": ""} == {
        "access-control-allow-origin": APP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "600",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        "date": "",
        "x-request-id": "",
        "traceparent": "",
    }
    assert plain.status == 405
    assert other.status == 405
    assert recording.requests == []


async def test_a_plain_options_is_a_request_like_any_other() -> None:
    """It is asked who calls."""
    raw = document(route(service="s", path="/x", cors=CORS) | CLOSED, services={"s": AWAY})

    assert (await asked(raw, "/x", FROM_APP, method="OPTIONS")).status == 401


async def test_a_stranger_is_told_nothing() -> None:
    """Neither by a preflight nor by an answer, which is given all the same."""
    raw = document(route(path="/x", cors=CORS, respond={"status": 200, "body": "ok"}))
    stranger = "Origin: https://evil.test"
    preflight = await asked(raw, "/x", stranger, "Access-Control-Request-Method: PUT", method="OPTIONS")
    answer = await asked(raw, "/x", stranger)

    assert preflight.status == 403
    assert answer.status == 200
    for found in (preflight, answer):
        assert [name for name, _ in found.headers if name.startswith("access-control-")] == []
        assert (found.header("vary") or "").startswith("Origin")


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"service": "s", **CLOSED}, 401),
        ({"service": "s"}, 502),
        ({"respond": {"status": 200}, "ip": {"deny": ["127.0.0.0/8"]}}, 403),
        ({"respond": {"status": 200}, "fault": {"until": "2099-01-01", "abort": 503}}, 503),
        ({"respond": {"status": 204}}, 204),
        ({"redirect": {"path": "/y"}}, 301),
    ],
)
async def test_every_answer_can_be_read(keys: dict[str, Any], status: int) -> None:
    """Also the gateway's own refusals, or a page could not tell what is wrong."""
    raw = document({**route(path="/x", cors=CORS), **keys}, services={"s": AWAY})
    answer = await asked(raw, "/x", FROM_APP)

    assert answer.status == status
    assert answer.header("access-control-allow-origin") == APP
    assert answer.values("vary") == ["Origin"]


async def test_quotas_and_origins_are_said_together() -> None:
    """A page that is refused by 429 learns so, and how long to wait where that is exposed."""
    keys = {"respond": {"status": 200}, "quotas": ["one"], "cors": {**CORS, "expose": ["retry-after"]}}
    raw = document(route(path="/x", **keys)) | {"quotas": [{"name": "one", "limit": 1, "per": "1h"}]}
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        await client.get("/x", FROM_APP)
        refused = await client.get("/x", FROM_APP)
        preflight = await client.get("/x", *asks("GET"), method="OPTIONS")

    assert refused.status == 429
    assert refused.header("access-control-allow-origin") == APP
    assert refused.header("access-control-expose-headers") == "retry-after"
    assert preflight.status == 204


@pytest.mark.parametrize("origin", [APP, "https://evil.test", ""])
async def test_a_services_own_cors_fields_do_not_count(origin: str) -> None:
    """Two of them would be none to a browser; what the answer varies by is kept."""
    own = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "X"), ("Vary", "Accept")]
    async with ScriptedUpstream(Recording(response(b"x", headers=own))) as upstream:
        raw = document(route(service="s", cors=CORS), services={"s": upstream.url})
        answer = await asked(raw, "/x", *([f"Origin: {origin}"] if origin else []))

    assert answer.values("access-control-allow-origin") == ([APP] if origin == APP else [])
    assert answer.header("access-control-allow-methods") is None
    assert answer.values("vary") == ["Accept", "Origin"]


async def test_without_a_policy_the_service_speaks_for_itself() -> None:
    """Its preflights reach it, and its fields come back."""
    own = [("Access-Control-Allow-Origin", "*")]
    recording = Recording(response(b"", headers=own))
    async with ScriptedUpstream(recording) as upstream:
        raw = document(route(service="s", cors={"enabled": False}), services={"s": upstream.url})
        answer = await asked(raw, "/x", *asks("PUT"), method="OPTIONS", origins=(APP,))

    assert recording.last.method == "OPTIONS"
    assert answer.values("access-control-allow-origin") == ["*"]


async def test_the_default_policy() -> None:
    """Of routes that name none, of endpoints for users, and of what nobody answers; not of admin."""
    raw = document(route(path="/x", respond={"status": 200}))
    default = {"origins": (APP,)}

    assert (await asked(raw, "/x", FROM_APP, **default)).header("access-control-allow-origin") == APP
    assert (await asked(raw, "/nowhere", FROM_APP, **default)).header("access-control-allow-origin") == APP
    sign_in = await asked(raw, "/api/auth/login", *asks("POST", "x"), method="OPTIONS", **default)
    assert (sign_in.status, sign_in.header("access-control-allow-origin")) == (204, APP)
    assert (await asked(raw, "/api/auth/login", FROM_APP, **default)).header(
        "access-control-allow-origin"
    ) == APP
    for path in ("/admin/", "/control/v1/routes"):
        answer = await asked(raw, path, FROM_APP, **default)
        assert answer.header("access-control-allow-origin") is None
        preflight = await asked(raw, path, *asks("POST"), method="OPTIONS", **default)
        assert preflight.body == b"builtin"


@pytest.mark.parametrize(
    ("claimed", "status"),
    [
        ("10.0.0.1", 200),
        ("10.1.0.1", 403),
        ("192.0.2.1", 403),
        ("::ffff:10.0.0.1", 200),
        ("2001:db8::1", 200),
    ],
)
async def test_addresses_are_the_clients_behind_trusted_proxies(claimed: str, status: int) -> None:
    """Whoever is not trusted speaks for nobody."""
    ip = {"allow": ["10.0.0.0/8", "2001:db8::/32"], "deny": ["10.1.0.0/16"]}
    raw = document(route(path="/x", ip=ip, respond={"status": 200}))
    field = f"X-Forwarded-For: {claimed}"

    trusting = await asked(raw, "/x", field, trusted_proxies=("127.0.0.1",))
    assert trusting.status == status
    assert (await asked(raw, "/x", field)).status == 403
    if status == 403:
        assert b"FORBIDDEN" in trusting.body
        assert b"deny" not in trusting.body


async def test_addresses_in_log_mode_pass() -> None:
    """They are counted."""
    raw = document(route(path="/x", ip={"deny": ["127.0.0.1"], "mode": "log"}, respond={"status": 200}))

    assert (await asked(raw, "/x")).status == 200


HTTPS = ("X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.1")
SAFETY = ("x-content-type-options", "x-frame-options", "referrer-policy", "strict-transport-security")
SAFE = {"is_safe": True, "trusted_proxies": ("127.0.0.1",)}


async def test_security_fields_of_services_and_of_the_gateway() -> None:
    """A service's own word counts; a route may have a field removed; HSTS is said over HTTPS only."""
    said = response(b"x", headers=[("X-Frame-Options", "ALLOWALL")])
    async with ScriptedUpstream(Recording(said)) as upstream:
        raw = document(
            route("s", path="/s", service="s"),
            route("o", path="/o", service="s", response_headers={"remove": ["referrer-policy"]}),
            route("r", path="/r", respond={"status": 200}, response_headers={"remove": ["x-frame-options"]}),
            services={"s": upstream.url},
        )
        async with data_plane(raw, **SAFE) as plane, RawClient(plane.port) as client:
            plain = await client.get("/s")
            secure = await client.get("/s", *HTTPS)
            without = await client.get("/o")
            own = await client.get("/r")
            missing = await client.get("/nowhere", *HTTPS)
            builtin = await client.get("/health", *HTTPS)

    def fields(answer: Answer) -> list[str | None]:
        assert all(len(answer.values(name)) < 2 for name in SAFETY)
        return [answer.header(name) for name in SAFETY]

    strict = "strict-origin-when-cross-origin"
    assert fields(plain) == ["nosniff", "ALLOWALL", strict, None]
    assert fields(secure) == ["nosniff", "ALLOWALL", strict, "max-age=31536000"]
    assert fields(without) == ["nosniff", "ALLOWALL", None, None]
    assert fields(own) == ["nosniff", None, strict, None]
    assert fields(missing) == fields(builtin) == ["nosniff", "DENY", "same-origin", "max-age=31536000"]


@pytest.mark.parametrize(
    ("enforce", "method", "status"),
    [("redirect", "GET", 308), ("redirect", "POST", 308), ("refuse", "GET", 403)],
)
async def test_https_is_enforced_behind_trusted_proxies(enforce: str, method: str, status: int) -> None:
    """For routed requests and the gateway's pages; probes come by HTTP."""
    raw = document(route(path="/x", respond={"status": 200}))
    more = {"enforce_https": enforce, "trusted_proxies": ("127.0.0.1",)}

    answer = await asked(raw, "/x?a=1", method=method, **more)
    assert answer.status == status
    assert answer.header("location") == ("https://gateway.test/x?a=1" if status == 308 else None)
    assert (await asked(raw, "/x?a=1", *HTTPS, method=method, **more)).status == 200
    assert (await asked(raw, "/admin/", method=method, **more)).status == status
    assert (await asked(raw, "/health/live", **more)).status == 200
