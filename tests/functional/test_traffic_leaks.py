"""Whatever happens to requests, what they took is given back: places, permits, targets and connections."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from tests.support.fetching import until
from tests.support.gateway import RawClient, document, leave, route
from tests.support.traffic import TrafficPlane, counted, traffic
from tests.support.upstreams import Peer, ScriptedUpstream, response

REQUESTS = 300
AT_ONCE = 20
BODY = b"x" * 20_000


class Moody(ScriptedUpstream):
    """Answers, fails, resets, breaks off or is late, as it comes."""

    def __init__(self, rng: Random) -> None:
        super().__init__(self._serve_peer)
        self._rng = rng

    async def _serve_peer(self, peer: Peer) -> None:
        while True:
            await peer.request()
            await asyncio.sleep(self._rng.choice((0, 0, 0.001, 0.02)))
            match self._rng.randrange(8):
                case 0:
                    return peer.reset()
                case 1:
                    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + BODY)
                    return peer.close()
                case 2 | 3:
                    await peer.send(response(BODY, status="503 No"))
                case _:
                    await peer.send(response(BODY))


async def visitor(plane: TrafficPlane, rng: Random) -> int:
    """One request; 0 if the client left before its answer was whole, or it broke off."""
    method = rng.choice(("GET", "GET", "PUT", "POST"))
    length = rng.choice((0, 100, 100_000, 300_000)) if method != "GET" else 0
    head = f"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n".encode()
    patience_s = rng.choice((0.0, 0.002, 0.01, 5.0, 5.0, 5.0))
    async with RawClient(plane.port) as client:
        with suppress(TimeoutError, OSError, EOFError):
            async with asyncio.timeout(patience_s):
                await client.send(head + bytes(length))
                return (await client.answer()).status
        leave(client)
    return 0


def held(plane: TrafficPlane) -> dict[str, Any]:
    """All that requests may hold."""
    runtime = plane.service()
    assert runtime.limit is not None
    assert runtime.breaker is not None
    crowd = dict(plane.doors.crowds.items())["r"]
    return {
        "targets": [state.in_flight for state in runtime.pool.states],
        "service": runtime.state.in_flight,
        "places": [crowd.in_flight, crowd.waiting, runtime.limit.in_flight, runtime.limit.waiting],
        "trials": runtime.breaker.breaker.standing(plane.time.monotonic()).trials,
        "busy": [each.open - each.idle for each in runtime.transport.stats().values()],
    }


@pytest.mark.parametrize("seed", range(3))
async def test_everything_is_given_back(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients leave at any time, upstreams do what they like, revisions come and go; nobody hears 500."""
    rng = Random(seed)
    async with Moody(rng) as one, Moody(rng) as other:
        service = {
            "targets": [{"url": one.url}, {"url": other.url}],
            "load_balancing": rng.choice(("round_robin", "least_connections", "random")),
            "retries": {"attempts": 2, "backoff": "5ms", "budget": 0.5, "methods": ["GET", "PUT", "POST"]},
            "breaker": {"failure_threshold": 12, "failure_window": "1s", "recovery_timeout": "20ms"},
            "ejection": {"consecutive_errors": 3, "for": "20ms"},
            "max_concurrency": 12,
            "max_connections": 4,
            "timeout": {"total": "500ms"},
        }
        limits = {"max_concurrency": 10, "queue": 5, "adaptive": bool(seed % 2), "max_body": "200KB"}
        raw = document(route(service="s", limits=limits), services={"s": service})
        async with traffic(raw, monkeypatch) as plane:
            gate = asyncio.Semaphore(AT_ONCE)

            async def come(number: int) -> int:
                async with gate:
                    if not number % 50:
                        plane.publish(raw)
                    return await visitor(plane, rng)

            seen = counted(await asyncio.gather(*map(come, range(REQUESTS))))
            nothing = {"targets": [0, 0], "service": 0, "places": [0] * 4, "trials": 0, "busy": [0, 0]}
            await until(lambda: held(plane) == nothing)
    assert 500 not in seen
    assert seen[200] > REQUESTS // 10
