"""Who may pass, on whole gateways of several workers: what is taken back ends everywhere within a second."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from tests.support.clerk import Clerk
from tests.support.clients import PASSWORD, Caller, bearer, granted, keyed, post, refusal, signed_in, staff_of
from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, connections_to_each_worker, eventually
from tests.support.stopwatch import Stopwatch
from tests.support.upstreams import Peer, ScriptedUpstream

LIVE_WITHIN_S = 1.0
pytestmark = pytest.mark.timeout(300)  # seconds; many processes start one after another
CLOSED = document(route("closed", path="/closed", auth={"level": "user"}, respond={"status": 204}))


DEEDS = {
    "ended": "sessions.end_all(user('ended'), reason='test', by='test')",
    "disabled": "u = user('disabled'); u.is_active = False; u.save()",
    "wary": "u = user('wary'); u.set_password('another-horse'); u.save()",
    "demoted": "user('demoted').groups.clear()",
    "revoked": "apikeys.revoke(ApiKey.objects.get(name='revoked'), by='test')",
    "asleep": "consumers.set_enabled(Consumer.objects.filter(name='asleep'), False, by='test')",
    "gone": "consumers.delete(consumer('gone'))",
}
"""What staff do, and to whom."""
workers_of = connections_to_each_worker


@asynccontextmanager
async def guarded(site: Site, *arguments: str) -> AsyncIterator[tuple[Running, Clerk]]:
    """A gateway with one route, which asks who calls; and somebody who makes accounts and takes them back."""
    await site.apply(CLOSED)
    async with staff_of(site) as staff, site.serving(*arguments) as running:
        yield running, staff


async def status(caller: Caller, client: RawClient) -> int:
    return (await caller.ask(client, "/closed")).status


async def refused_at(caller: Caller, client: RawClient) -> float:
    """When this worker first refused the caller, by the wall clock."""

    async def refuses() -> bool:
        return await status(caller, client) == 401

    await eventually(refuses, every_s=0.005)
    return time.time()


def newest_change(site: Site) -> float:
    """When the newest change was written, shortly before its commit."""
    [(at,)] = site.sql("SELECT created_at FROM authproxy_identitychange ORDER BY id DESC LIMIT 1")
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return float((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


async def ended_within(
    site: Site, clients: list[RawClient], caller: Caller, deed: Coroutine[Any, Any, Any]
) -> tuple[float, float]:
    """Every worker lets the caller in, and remembers it; when the deed was done, and when the last one refused."""
    for _ in range(2):
        assert [await status(caller, client) for client in clients] == [204] * len(clients), caller.name
    waiting = [asyncio.create_task(refused_at(caller, client)) for client in clients]
    await deed
    last = max(await asyncio.gather(*waiting))
    return newest_change(site), last


@pytest.mark.parametrize(
    ("told_by", "workers"),
    [("redis", "2"), pytest.param("none", "1", marks=pytest.mark.store)],  # NOTIFY on PostgreSQL
)
async def test_what_is_taken_back_ends_everywhere(
    told_by: str, workers: str, site: Site, redis_url: str, stopwatch: Stopwatch
) -> None:
    """Keys, consumers, accounts, sessions and passwords; told over Redis (or NOTIFY), or found by polling alone."""
    site.env["REDIS_URL"] = redis_url if told_by == "redis" else "none"
    people = ("left", "ended", "disabled", "wary", "demoted")
    programs = ("revoked", "asleep", "gone")
    async with guarded(site, "--workers", workers) as (running, staff), workers_of(running) as clients:
        await staff.do(f"for name in {people}: account(name, 'reader')")
        secrets = await staff.do(f"result = {{name: service(name) for name in {programs}}}")
        callers = {name: keyed(name, secret) for name, secret in secrets.items()}
        callers |= {name: await signed_in(running, name) for name in people}
        left = callers["left"]
        for name in ("left", *DEEDS):
            deed = staff.do(DEEDS[name]) if name in DEEDS else log_out(left, running)
            done, ended = await ended_within(site, clients, callers[name], deed)
            assert stopwatch.between(done, ended) < LIVE_WITHIN_S, name
        again = await post(running, "/api/auth/login", {"username": "disabled", "password": PASSWORD})
        assert refusal(again)[:2] == (401, "AUTH_ERROR")
        await staff.do("consumers.set_enabled(Consumer.objects.filter(name='asleep'), True, by='test')")
        await eventually(lambda: lets_in(callers["asleep"], clients[0]))


async def test_event_streams_of_services_end_everywhere(site: Site, redis_url: str) -> None:
    """On every worker, in the middle of the answer; the service hears that nobody listens any more."""
    site.env["REDIS_URL"] = redis_url

    async def events(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await peer.until_closed()

    async with ScriptedUpstream(events) as upstream:
        live = route("live", path="/live", auth={"level": "user"}, service="a")
        await site.apply(document(live, services={"a": upstream.url}))
        async with (
            staff_of(site) as staff,
            site.serving("--workers", "2") as running,
            workers_of(running) as clients,
        ):
            robot = keyed("robot", await staff.do("result = service('robot')"))
            for client in clients:
                await client.send(f"GET /live HTTP/1.1\r\nHost: a\r\n{robot.field}\r\n\r\n".encode())
                assert (await client.head()).status == 200
            await upstream.until_open(2)
            await staff.do("apikeys.revoke(ApiKey.objects.get(name='robot'), by='test')")
            async with asyncio.timeout(LIVE_WITHIN_S + 4):  # a busy machine's
                rest = [await client.reader.read(-1) for client in clients]
            assert [b"data: 1" in each and not each.endswith(b"0\r\n\r\n") for each in rest] == [True, True]
            await upstream.until_open(0)


async def log_out(caller: Caller, running: Running) -> None:
    assert (await running.get("/api/auth/logout", caller.field, method="POST")).status == 204


async def lets_in(caller: Caller, client: RawClient) -> bool:
    return await status(caller, client) == 204


async def test_worker_that_dies_takes_no_identity_with_it(site: Site, redis_url: str) -> None:
    """Killed while somebody is signed in: the next worker knows who may pass, and who may no longer."""
    site.env["REDIS_URL"] = redis_url
    async with guarded(site, "--workers", "2") as (running, staff):
        await staff.do("account('ada')")
        robot = keyed("robot", await staff.do("result = service('robot')"))
        ada, late = await signed_in(running, "ada"), await signed_in(running, "ada")
        victim, other = running.workers()
        os.kill(victim, signal.SIGKILL)
        await log_out(late, running)
        await replaced(site, running, victim)
        os.kill(other, signal.SIGKILL)
        await replaced(site, running, other)
        async with connections_to_each_worker(running) as clients:
            for client in clients:
                assert [await status(caller, client) for caller in (ada, robot, late)] == [204, 204, 401]


async def replaced(site: Site, running: Running, victim: int) -> None:
    """Waits until two workers serve, and this is none of them."""

    def serve() -> bool:
        told = {pid for (pid,) in site.sql("SELECT pid FROM routing_node WHERE revision IS NOT NULL")}
        workers = running.workers()
        return len(workers) == 2 and victim not in workers and set(workers) <= told

    await eventually(serve)


async def test_rotation_refuses_nobody(site: Site, redis_url: str) -> None:
    """New keys under load: each token ever issued goes on, on both workers, whichever key signed it."""
    site.env |= {"REDIS_URL": redis_url, "JWT_ALGORITHM": "ES256"}
    async with guarded(site, "--workers", "2") as (running, staff), workers_of(running) as clients:
        await staff.do("account('ada')")
        load = Load(running, await granted(running, grant_type="password", username="ada", password=PASSWORD))
        working = [asyncio.create_task(load.refresh()), *(asyncio.create_task(load.use(c)) for c in clients)]
        for _ in range(2):
            done = await site.gateway("keys", "rotate", "--json")
            assert done.code == 0, done.err
        await eventually(lambda: done.data["kid"] in load.kids() or any(work.done() for work in working))
        load.stop.set()
        await asyncio.gather(*working)
        answers = {await status(bearer("ada", token), client) for token in load.tokens for client in clients}
    assert answers | load.answers == {204}
    assert load.asked > 100
    assert len(load.kids()) >= 2


class Load:
    """Keeps refreshing one account's tokens, and using the first and the newest."""

    def __init__(self, running: Running, pair: dict[str, Any]) -> None:
        self.stop = asyncio.Event()
        self.tokens = [pair["access_token"]]
        self.answers: set[int] = set()
        self.asked = 0
        self._running = running
        self._refresh = pair["refresh_token"]

    def kids(self) -> set[str]:
        return {jwt.get_unverified_header(token)["kid"] for token in self.tokens}

    async def refresh(self) -> None:
        while not self.stop.is_set():
            pair = await granted(self._running, grant_type="refresh_token", refresh_token=self._refresh)
            self._refresh = pair["refresh_token"]
            self.tokens.append(pair["access_token"])
            await asyncio.sleep(0.2)

    async def use(self, client: RawClient) -> None:
        while not self.stop.is_set():
            for token in (self.tokens[0], self.tokens[-1]):
                self.answers.add(await status(bearer("ada", token), client))
                self.asked += 1
            await asyncio.sleep(0.05)


async def test_disabling_authentication_admits_anonymous_callers(site: Site) -> None:
    """To routes; an account's own pages stay closed."""
    site.env["ENABLE_AUTHENTICATION"] = "false"
    await site.apply(CLOSED)
    async with site.serving() as running:
        assert (await running.get("/closed")).status == 204
        assert refusal(await running.get("/api/v1/users/me"))[:2] == (401, "AUTH_ERROR")
