"""Whatever a route makes of requests and answers, what they took is given back: places, permits, targets, flights."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from authproxy.mirroring import LONGEST_S
from tests.support.fetching import until
from tests.support.gateway import RawClient, document, leave, route
from tests.support.traffic import TrafficPlane, counted, traffic
from tests.support.upstreams import Peer, ScriptedUpstream, response

REQUESTS = 200
AT_ONCE = 20
JSON = b'{"items": [' + b"1234567, " * 3000 + b'0], "id": 7}'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + PNG
    + b"\r\n--b--"
)
ROUTES: dict[str, dict[str, Any]] = {
    "cache": {"service": "s", "cache": {"stale_while_revalidate": "1m", "stale_if_error": "1m"}},
    "transform": {"service": "s", "transform": {"request": "@", "response": "items[:2]"}},
    "envelope": {"service": "s", "envelope": True, "status_map": {"404": 204}},
    "compress": {"service": "s", "compress": True},
    "all": {"service": "s", "cache": {}, "envelope": True, "compress": True, "transform": {"response": "@"}},
    "mirror": {"service": "s", "mirror": {"service": "m", "percent": 100}},
    "backends": {"backends": [{"service": "s"}, {"service": "m"}], "sticky": {"cookie": "v"}, "cache": {}},
    "aggregate": {
        "aggregate": {
            "timeout": "200ms",
            "parts": {
                "one": {"service": "s", "path": "/1", "required": True},
                "two": {"service": "m", "path": "/${parts.one.id}", "pick": "items[:2]"},
                "three": {"service": "m", "path": "/3", "method": "POST"},
            },
        },
        "cache": {"ttl": "10ms"},
    },
    "validate": {
        "service": "s",
        "validate": {"upload": {"types": ["image/png"]}},
        "mirror": {"service": "m"},
    },
}


class Moody(ScriptedUpstream):
    """JSON that comes at once or in pieces, is fresh, stale or gone, breaks off or never comes."""

    def __init__(self, rng: Random) -> None:
        super().__init__(self._serve_peer)
        self._rng = rng

    async def _serve_peer(self, peer: Peer) -> None:
        rng = self._rng
        while True:
            request = await peer.request()
            await asyncio.sleep(rng.choice((0, 0, 0.001, 0.02)))
            control = (
                "Cache-Control",
                rng.choice(("no-store", "max-age=0", "max-age=60", "public, max-age=1")),
            )
            fields = [("Content-Type", "application/json"), ("ETag", '"1"'), control]
            if request.values("if-none-match") and rng.random() < 0.5:
                await peer.send(response(status="304 Not Modified", headers=fields))
                continue
            if request.method == "HEAD":
                await peer.send(response(headers=fields))
                continue
            match rng.randrange(9):
                case 0:
                    return peer.reset()
                case 1:
                    await peer.send(response(JSON, headers=fields)[:5000])
                    return peer.close()
                case 2:
                    await peer.send(response(JSON, headers=fields)[:-10])
                    await asyncio.sleep(0.6)
                    return peer.close()
                case 3:
                    await peer.send(response(JSON, status=rng.choice(("404 No", "503 No")), headers=fields))
                case 4 | 5:
                    head = response(headers=fields).replace(
                        b"content-length: 0", b"transfer-encoding: chunked"
                    )
                    await peer.send(head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
                    for start in range(0, len(JSON), 10_000):
                        piece = JSON[start : start + 10_000]
                        await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                        await asyncio.sleep(0.001)
                    await peer.send(b"0\r\n\r\n")
                case _:
                    await peer.send(response(JSON, headers=fields))


async def visitor(plane: TrafficPlane, rng: Random) -> int:
    """One request; 0 if the client left before its answer was whole, or it broke off."""
    method = rng.choice(("GET", "GET", "GET", "HEAD", "POST"))
    body = rng.choice((FORM, FORM[:-20], FORM.replace(b"PNG", b"XXX"))) if method == "POST" else b""
    path, coding = f"/{rng.randrange(4)}", rng.choice(("gzip", "br", "zstd", "identity"))
    patience_s = rng.choice((0.0, 0.002, 0.01, 0.03, 5.0, 5.0))
    async with RawClient(plane.port) as client:
        with suppress(TimeoutError, OSError, EOFError, ValueError):
            async with asyncio.timeout(patience_s):
                fields = [f"Accept-Encoding: {coding}", "Content-Type: multipart/form-data; boundary=b"]
                return (await client.get(path, *fields, method=method, body=body)).status
        leave(client)
    return 0


def held(plane: TrafficPlane) -> dict[str, Any]:
    """All that requests may hold."""
    found: dict[str, Any] = {"r": dict(plane.doors.crowds.items())["r"].in_flight}
    for name in "sm":
        runtime = plane.service(name)
        assert runtime.limit is not None
        assert runtime.breaker is not None
        found[name] = sum(
            [
                *(state.in_flight for state in runtime.pool.states),
                runtime.state.in_flight,
                runtime.limit.in_flight,
                runtime.breaker.breaker.standing(plane.time.monotonic()).trials,
                *(each.open - each.idle for each in runtime.transport.stats().values()),
            ]
        )
    cache = plane.doors.cache
    found["cache"] = [len(cache.flights), len(cache._open), len(cache._beside)]
    found["mirrors"] = len(plane.doors.mirrors._tasks)
    return found


@pytest.mark.parametrize("keys", ROUTES)
async def test_everything_is_given_back(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients leave at any time, upstreams do what they like, revisions come and go; nobody hears 500."""
    rng = Random(keys)
    async with Moody(rng) as one, Moody(rng) as other:
        limits = {
            "retries": {"attempts": 1, "backoff": "5ms"},
            "max_concurrency": 20,
            "timeout": {"total": "500ms"},
        }
        breaker = {"failure_threshold": 12, "failure_window": "1s", "recovery_timeout": "20ms"}
        services = {
            name: {"targets": [{"url": moody.url}], "breaker": breaker, **limits}
            for name, moody in (("s", one), ("m", other))
        }
        raw = document(route(limits={"max_concurrency": 100}, **ROUTES[keys]), services=services)
        async with traffic(raw, monkeypatch) as plane:
            gate = asyncio.Semaphore(AT_ONCE)

            async def come(number: int) -> int:
                async with gate:
                    if not number % 50:
                        plane.publish(raw)
                    return await visitor(plane, rng)

            seen = counted(await asyncio.gather(*map(come, range(REQUESTS))))
            nothing = {"r": 0, "s": 0, "m": 0, "cache": [0] * 3, "mirrors": 0}
            # A copy whose service stalls is given up after LONGEST_S.
            await until(lambda: held(plane) == nothing, within_s=2 * LONGEST_S)
    assert 500 not in seen
    assert seen[200] > REQUESTS // 10
