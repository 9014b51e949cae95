"""Detailed health: who may read it, what it says, and when it is a 503."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.opsaccess import OpsAccess
from observability.components import Check, Seen
from observability.detailed import Detailed, Facts, Status, overall
from tests.support.asgi import Recorder, http_scope, playback

STAFF = Identity(method="jwt", name="anna", is_staff=True)
USER = Identity(method="jwt", name="bert")
PATH = "/health/detailed"


async def well() -> Seen:
    return Seen()


async def away() -> Seen:
    return Seen("does not answer")


FACTS = Facts(
    version="1.2.3",
    worker="w:1",
    role="all",
    revision=lambda: 7,
    unready=lambda: None,
    services=dict,
    checks={"database": well, "redis": None},
    workers=lambda: [{"name": "w:1", "revision": 7, "state": "current"}],
)


def application(access: OpsAccess = "restricted", **facts: Any) -> Detailed:
    return Detailed(replace(FACTS, **facts), api_prefix="/api/v1", access=access, realm="shop")


async def ask(
    detailed: Detailed,
    *,
    identity: Identity | None = STAFF,
    failure: str = "",
    client: str = "203.0.113.9",
    peer: str = "203.0.113.9",
    method: str = "GET",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Recorder:
    send = Recorder()
    scope = http_scope(method, PATH, headers=headers, client=(peer, 1))
    scope |= {SCOPE_IDENTITY: identity, SCOPE_AUTH_FAILURE: failure, SCOPE_CLIENT: client}
    await detailed(scope, playback(), send)
    return send


async def test_what_it_says() -> None:
    """Everything that operators look for, under stable names."""
    answer = await ask(application())
    found = orjson.loads(answer.body)
    assert (answer.status, found["status"], found["version"]) == (200, "healthy", "1.2.3")
    assert found["worker"] == {"name": "w:1", "role": "all", "revision": 7}
    assert found["components"]["database"]["status"] == "healthy"
    assert found["components"]["redis"] == {"status": "disabled"}
    assert found["workers"] == FACTS.workers()
    assert found["services"] == {}
    assert found["resources"]["rss_bytes"] > 0
    assert found.keys() == {
        "status", "version", "timestamp", "worker", "components", "resources", "workers", "services",
        "dropped",
    }  # fmt: skip
    assert answer.header(b"cache-control") == b"no-store"


async def test_what_hangs_does_not_keep_anybody() -> None:
    """It is degraded, and it is said what hangs."""

    async def hangs() -> Seen:
        await asyncio.Event().wait()
        return Seen()

    checks: Mapping[str, Check | None] = {"database": hangs, "redis": away}
    async with asyncio.timeout(30):
        answer = await ask(application(checks=checks, workers=lambda: None))
    found = orjson.loads(answer.body)
    assert (answer.status, found["status"], found["workers"]) == (200, "degraded", None)
    assert found["components"]["database"]["reason"] == "no answer within 1 s"
    assert found["components"]["redis"]["reason"] == "does not answer"


async def test_what_takes_no_requests_is_unhealthy() -> None:
    """503, with the reason."""
    answer = await ask(application(unready=lambda: "draining"))
    found = orjson.loads(answer.body)
    assert (answer.status, found["status"], found["reason"]) == (503, "unhealthy", "draining")


@pytest.mark.parametrize(
    ("unready", "redis", "services", "worker", "status"),
    [
        (None, "healthy", [], "current", "healthy"),
        (None, "healthy", ["up", "up"], "behind", "healthy"),
        (None, "disabled", ["up"], "current", "healthy"),
        (None, "unhealthy", ["up"], "current", "degraded"),
        (None, "healthy", ["up", "down"], "current", "degraded"),
        (None, "healthy", ["degraded"], "current", "degraded"),
        (None, "healthy", ["up"], "failing", "degraded"),
        (None, "healthy", ["up"], "silent", "degraded"),
        (None, "healthy", ["down", "down"], "current", "unhealthy"),
        ("no configuration", "healthy", [], "current", "unhealthy"),
    ],
)
def test_one_word_for_all(
    unready: str | None, redis: str, services: list[str], worker: str, status: Status
) -> None:
    """The worst that matters."""
    named = {str(number): {"status": word} for number, word in enumerate(services)}
    assert overall(unready, {"redis": {"status": redis}}, named, [{"state": worker}]) == status


@pytest.mark.parametrize(
    ("access", "identity", "client", "status"),
    [
        ("restricted", STAFF, "203.0.113.9", 200),
        ("restricted", USER, "127.0.0.1", 403),
        ("restricted", None, "127.0.0.1", 401),
        ("private", None, "127.0.0.1", 200),
        ("private", None, "10.0.0.7", 200),
        ("private", USER, "10.0.0.7", 200),
        ("private", None, "203.0.113.9", 401),
        ("private", STAFF, "203.0.113.9", 200),
        ("public", None, "203.0.113.9", 200),
    ],
)
async def test_who_may_read(access: OpsAccess, identity: Identity | None, client: str, status: int) -> None:
    """Staff, or whom OPS_ACCESS lets."""
    answer = await ask(application(access), identity=identity, client=client)
    assert answer.status == status
    if status >= 400:
        assert b"components" not in answer.body


async def test_a_proxy_that_nobody_trusts_opens_nothing() -> None:
    """Whoever it speaks for may be anywhere."""
    forwarded = ((b"x-forwarded-for", b"203.0.113.9"),)
    answer = await ask(
        application("private"), identity=None, client="127.0.0.1", peer="127.0.0.1", headers=forwarded
    )
    assert answer.status == 401


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        ("", 401, "missing"),
        ("expired", 401, "expired"),
        ("unavailable", 503, "identities_unavailable"),
        ("cross_site", 403, "cross_site"),
    ],
)
async def test_why_nobody_is_known(failure: str, status: int, reason: str) -> None:
    """In the envelope, as everywhere."""
    answer = await ask(application(), identity=None, failure=failure)
    assert answer.status == status
    assert orjson.loads(answer.body)["error"]["details"]["reason"] == reason


async def test_only_reading_is_allowed() -> None:
    """405 before anything else."""
    assert (await ask(application("public"), method="POST")).status == 405
    assert (await ask(application("public"), method="HEAD")).status == 200


async def test_who_asks_at_the_same_time_gets_the_same_report() -> None:
    """Many who ask cost as much as one; who leaves does not take it with them."""
    asked = 0

    async def count() -> Seen:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return Seen()

    detailed = application(checks={"database": count})
    waiting = [asyncio.ensure_future(ask(detailed)) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    answers = await asyncio.gather(*waiting[1:])
    assert (asked, len({answer.body for answer in answers})) == (1, 1)
    await ask(detailed)
    assert asked == 2
    await detailed.stop()
    await application().stop()


@pytest.mark.parametrize(
    ("path", "serves"),
    [
        (PATH, True),
        (f"{PATH}/", True),
        ("/monitoring/health", True),
        ("/api/v1/health/detailed", True),
        ("/health", False),
        ("/monitoring", False),
        (f"{PATH}/x", False),
    ],
)
def test_its_paths(path: str, serves: bool) -> None:
    """The contract's three."""
    assert application().serves(path) is serves
