"""The parts of a worker put together: what it serves in each role, and what it does when the configuration changes."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings

from authproxy.exchange import Receive, Scope, Send
from gateway_project.server.draining import DrainState
from gateway_project.wiring import Gateway, Role
from routing import served
from routing.document.canonical import digest
from routing.options import compile_options
from routing.problems import ConfigurationInvalid
from routing.revision import RevisionRecord
from tests.support.asgi import Recorder, body_message, http_scope, playback
from tests.support.cli import written
from tests.support.gateway import document, route
from tests.support.upstreams import Peer, ScriptedUpstream, response

SAYING_HI = document(route("hi", path="/hi", respond={"status": 200, "body": "hi"}))


async def control(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Stands where Django is."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"control"})


class Worker:
    """A gateway as a worker has it; `offer` is what its watcher would hand over."""

    def __init__(self, role: Role = "all", file: Path | None = None, **config: Any) -> None:
        self.drain = DrainState()
        self.gateway = Gateway(
            replace(settings.CONFIG, **config),
            control=control,
            role=role,
            revision_file=file,
            drain=self.drain,
            environ=os.environ,
        )

    async def offer(self, raw: dict[str, Any], number: int = 1) -> bool:
        record = RevisionRecord(number=number, digest=digest(raw), document=raw)
        return await self.gateway._registry.offer(record)

    async def get(self, path: str, *pairs: tuple[bytes, bytes]) -> tuple[int, bytes]:
        send = Recorder()
        scope = http_scope(path=path, headers=[(b"host", b"gateway.test"), *pairs])
        await self.gateway.application(scope, playback(), send)
        return send.status, send.body


async def test_readiness_follows_configuration_and_draining() -> None:
    """503 before the first configuration and from the moment that the worker leaves; alive all the time."""
    worker = Worker()
    seen = [await worker.get("/health/ready")]
    await worker.offer(SAYING_HI)
    seen.append(await worker.get("/health/ready"))
    worker.drain.begin()
    seen.append(await worker.get("/health/ready"))

    assert [status for status, _ in seen] == [503, 200, 503]
    assert b"no configuration" in seen[0][1]
    assert b"draining" in seen[2][1]
    assert (await worker.get("/health/live"))[0] == 200


@pytest.mark.parametrize(
    ("role", "routed", "admin"), [("all", 200, 200), ("data", 200, 404), ("control", 404, 200)]
)
async def test_role_decides_what_is_served(role: Role, routed: int, admin: int) -> None:
    """Routed traffic, the control plane, or both; health always."""
    worker = Worker(role)
    await worker.offer(SAYING_HI)
    assert [(await worker.get(path))[0] for path in ("/hi", "/admin/", "/health")] == [routed, admin, 200]


async def test_control_node_knows_roles_and_providers_but_no_routes() -> None:
    """Whoever calls its endpoints has the rights that the configuration gives."""
    worker = Worker("control")
    await worker.offer({**SAYING_HI, "roles": [{"name": "analyst", "scopes": ["read"]}]})
    seen = worker.gateway._snapshot()

    assert (dict(seen.roles), dict(seen.routes)) == ({"analyst": frozenset({"read"})}, {})


@pytest.mark.parametrize("path", ["/health/../admin/", "/admin/../health/live", "//health/live"])
async def test_no_way_around_the_role(path: str) -> None:
    """The path is judged as it is when its dot segments and doubled slashes are gone."""
    status, body = await Worker("data").get(path)
    assert body != b"control"
    assert (status == 200) == path.endswith("live")


async def test_health_has_the_prefix_as_well() -> None:
    """`{API_PREFIX}/health`, whatever the prefix is."""
    worker = Worker(api_prefix="/v2")
    assert (await worker.get("/v2/health"))[0] == 200
    assert (await worker.get("/api/v1/health"))[0] == 404


@pytest.mark.parametrize("role", ["all", "data", "control"])
@pytest.mark.parametrize("path", ["/health/detailed", "/monitoring/health", "/api/v1/health/detailed"])
async def test_detailed_health_is_everywhere_and_for_operators(role: Role, path: str) -> None:
    """On each kind of node; OPS_ACCESS opens it, the switch for routes does not."""
    worker = Worker(role, enable_authentication=False)
    assert (await worker.get(path))[0] == 401
    worker = Worker(role, ops_access="public")
    assert (await worker.get(path))[0] == 503
    await worker.offer(SAYING_HI)
    status, body = await worker.get(path)
    report = orjson.loads(body)
    assert (status, report["worker"]["role"], report["worker"]["revision"]) == (200, role, 1)
    await worker.gateway.stop()


@pytest.mark.parametrize(("is_on", "statuses"), [(True, [401, 401]), (False, [200, 200])])
async def test_routes_ask_who_calls_unless_that_is_switched_off(is_on: bool, statuses: list[int]) -> None:
    """ENABLE_AUTHENTICATION is about routes; endpoints of the gateway itself ask all the same."""
    worker = Worker(enable_authentication=is_on)
    await worker.offer(document({"name": "hi", "match": {"path": "/hi"}, "respond": {"status": 200}}))
    forged = (b"authorization", b"Bearer forged")

    assert [(await worker.get("/hi"))[0], (await worker.get("/hi", forged))[0]] == statuses
    assert (await worker.get("/api/v1/health", forged))[0] == 401


async def test_file_is_all_that_a_file_s_worker_needs(tmp_path: Path) -> None:
    """No watcher and no control plane: neither could do without a database."""
    worker = Worker(file=written(tmp_path, SAYING_HI))
    await worker.gateway.start()
    try:
        assert await worker.get("/hi") == (200, b"hi")
        assert (await worker.get("/health/ready"))[0] == 200
        assert (await worker.get("/admin/"))[0] == 404
    finally:
        await worker.gateway.stop()


async def test_pages_find_what_the_worker_serves(tmp_path: Path) -> None:
    """They compile by the same settings, without what only requests need."""
    worker = Worker(file=written(tmp_path, SAYING_HI))
    options = compile_options(settings.CONFIG, os.environ)
    await worker.gateway.start()
    try:
        found = served.served(options)
        assert found is not None
        assert set(found.routes) == {"hi"}
    finally:
        await worker.gateway.stop()
    assert served.served(options) is None


async def test_file_that_does_not_compile_stops_the_start(tmp_path: Path) -> None:
    """With the place in the document; a file that is no document at all as well."""
    broken = document(route("hi", service="nobody"))
    with pytest.raises(RuntimeError, match="nobody"):
        await Worker(file=written(tmp_path, broken)).gateway.start()
    (tmp_path / "torn.yaml").write_text("routes: [")
    with pytest.raises(ConfigurationInvalid):
        await Worker(file=tmp_path / "torn.yaml").gateway.start()


async def test_environment_is_the_worker_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables in the document are filled when the worker compiles it."""
    monkeypatch.setenv("GREETING", "hello")
    worker = Worker()
    await worker.offer(document(route("hi", path="/hi", respond={"status": 200, "body": "${GREETING}"})))
    assert await worker.get("/hi") == (200, b"hello")


async def test_bad_revision_leaves_the_good_one() -> None:
    """What was served is served on."""
    worker = Worker()
    await worker.offer(SAYING_HI)
    assert not await worker.offer(document(route("hi", service="nobody")), 2)
    assert await worker.get("/hi") == (200, b"hi")


async def test_connections_of_services_that_go_are_let_go() -> None:
    """A swap closes what it retires in the background, and a stop waits for nobody."""
    worker = Worker()
    for number, url in enumerate(("http://127.0.0.1:1", "http://127.0.0.1:2", None), 1):
        services = {"u": url} if url else {}
        routes = [route("u", service="u")] if url else []
        assert await worker.offer(document(*routes, services=services), number)
    await worker.gateway.stop()
    assert not worker.gateway._closing


def test_announcements_go_where_a_redis_is_named() -> None:
    """A server's URL is used as it stands; the embedded one reaches workers as one; none is none."""
    assert Worker().gateway._redis_url() is None
    server = replace(settings.CONFIG.redis, mode="server", url="redis://h:1/0")
    assert Worker(redis=server).gateway._redis_url() == "redis://h:1/0"


async def test_error_is_an_envelope() -> None:
    """What no route takes is answered by the gateway itself."""
    status, body = await Worker().get("/nothing")
    assert (status, orjson.loads(body)["error"]["code"]) == (404, "NOT_FOUND")


async def test_clients_see_their_limits_by_the_health_below_the_prefix() -> None:
    """And services in a word; neither the other health endpoints nor a gateway without limits tells any."""

    async def told(worker: Worker, path: str) -> dict[bytes, bytes]:
        send = Recorder()
        scope = http_scope(path=path, headers=[(b"host", b"gateway.test")])
        await worker.gateway.application(scope, playback(), send)
        assert send.status == 200
        return dict(send.headers)

    worker, boundless = Worker(), Worker(enable_rate_limiting=False)
    for each in (worker, boundless):
        await each.offer(SAYING_HI)
    first, second = [await told(worker, "/api/v1/health") for _ in range(2)]

    assert int(second[b"x-ratelimit-remaining"]) == int(first[b"x-ratelimit-remaining"]) - 1
    assert b"x-ratelimit-limit" not in await told(worker, "/health")
    assert b"x-ratelimit-limit" not in await told(boundless, "/api/v1/health")
    assert b"x-ratelimit-limit" not in await told(worker, "/status")


async def test_browsers_are_told_what_the_environment_says() -> None:
    """CORS_ALLOWED_ORIGINS, SECURITY_HEADERS and ENFORCE_HTTPS, for routes and for endpoints of the gateway."""
    worker = Worker(cors_allowed_origins=("https://app.test",), security_headers=True)
    strict = Worker(enforce_https="refuse", security_headers=False)
    origin = (b"origin", b"https://app.test")
    for each in (worker, strict):
        await each.offer(SAYING_HI)

    async def fields(each: Worker, path: str) -> dict[bytes, bytes]:
        send = Recorder()
        scope = http_scope(path=path, headers=[(b"host", b"gateway.test"), origin])
        await each.gateway.application(scope, playback(), send)
        return dict(send.headers)

    for path in ("/hi", "/status", "/api/auth/login"):
        said = await fields(worker, path)
        assert said[b"access-control-allow-origin"] == b"https://app.test"
        assert said[b"x-content-type-options"] == b"nosniff"
    assert b"access-control-allow-origin" not in await fields(worker, "/admin/")
    assert (await strict.get("/hi"))[0] == (await strict.get("/admin/"))[0] == 403
    assert (await strict.get("/health/live"))[0] == 200
    assert b"x-content-type-options" not in await fields(strict, "/health/live")


async def test_errors_say_whose_they_are() -> None:
    """PROXY_STATUS; behind what a service says itself, and only of errors."""
    answers = [
        response(status="503 Service Unavailable", headers=[("Proxy-Status", "inner; error=dns_error")]),
        response(),
    ]

    async def script(peer: Peer) -> None:
        while answers:
            await peer.request()
            await peer.send(answers.pop(0))

    worker, silent = Worker(proxy_status=True), Worker()
    async with ScriptedUpstream(script) as upstream:
        paths = {"up": upstream.url, "down": "http://127.0.0.1:9"}
        routes = [route(name, path=f"/{name}", service=name) for name in paths]
        for each in (worker, silent):
            await each.offer(document(*routes, services=paths))

        async def told(path: str, by: Worker = worker) -> tuple[int, list[bytes]]:
            send = Recorder()
            scope = http_scope(path=path, headers=[(b"host", b"gateway.test")])
            receive = playback(body_message(b""), {"type": "http.disconnect"})
            await by.gateway.application(scope, receive, send)
            return send.status, [value for name, value in send.headers if name.lower() == b"proxy-status"]

        assert await told("/up") == (503, [b"inner; error=dns_error", b"torana; received-status=503"])
        assert await told("/up") == (200, [])
    refused = b'torana; error=connection_refused; details="BAD_GATEWAY connect_refused"'
    assert await told("/down") == (502, [refused])
    assert await told("/nowhere") == (404, [b'torana; error=destination_not_found; details="NOT_FOUND"'])
    assert await told("/down", silent) == (502, [])


async def test_hosts_that_routes_name_need_not_be_among_allowed_hosts() -> None:
    """Those guard what Django answers; a route takes the hosts that it lists, or any if it lists none."""
    worker = Worker(allowed_hosts=("admin.test",))
    named = route(
        "named", path="/hi", match={"hosts": ["shop.test"]}, respond={"status": 200, "body": "shop"}
    )
    await worker.offer(document(named))

    async def get(host: bytes) -> int:
        send = Recorder()
        scope = http_scope(path="/hi", headers=[(b"host", host)])
        await worker.gateway.application(scope, playback(), send)
        return send.status

    assert await get(b"shop.test:8000") == 200
    assert await get(b"evil.test") == 404


async def test_finished_requests_are_recorded_unless_nobody_wants_them() -> None:
    watching, blind = Worker(), Worker(telemetry=False)
    for worker in (watching, blind):
        await worker.get("/nowhere")

    assert watching.gateway._recorder.drain() == 1
    assert blind.gateway._recorder.drain() == 0
