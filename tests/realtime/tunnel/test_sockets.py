"""All connections of a worker: who ends them, and what is told of them."""

import time
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from authproxy import tickets
from authproxy.admission import Gatekeeper
from authproxy.changes import Change, Changes
from realtime.tunnel.sockets import Sockets
from tests.support.callers import PEPPER, Callers, authenticator, minted
from tests.support.gateway import document, route
from tests.support.jose import provider
from tests.support.sockets import Line, closed, line


def other(there: Line, **keys: Any) -> dict[str, Any]:
    """The same document with a changed route."""
    changed = {**there.raw["routes"][0], **keys}
    return {**there.raw, "routes": [changed]}


def swap(there: Line, raw: dict[str, Any]) -> None:
    there.plane.publish(raw)
    there.sockets.reconcile(there.plane._current())


async def test_what_is_told_of_a_connection() -> None:
    """Who, where, since when, and how much."""
    async with line() as there, there.connect() as socket:
        await socket.send(b"x" * 100)
        await socket.recv()
        ((facts, received, sent),) = there.sockets.told(10)
        assert (facts.user, facts.address, facts.place.route, facts.place.service) == (
            "",
            "127.0.0.1",
            "live",
            "s",
        )
        assert abs(facts.since - time.time()) < 60
        assert (received, sent) == (106, 102)
        assert there.sockets.by_route == {"live": 1}
        assert there.sockets.told(0) == []
    await there.plane.until_finished(1)
    assert there.sockets.by_route == {}


async def test_an_operator_ends_one_or_all() -> None:
    async with line() as there, there.connect() as one, there.connect() as two, there.connect() as three:
        numbers = [facts.number for facts, _, _ in there.sockets.told(10)]
        there.sockets.end([numbers[0], 999])
        assert await closed(one) == (1001, "ended by an operator")
        there.sockets.end(route="other")
        await two.send("x")
        assert await two.recv() == "x"
        there.sockets.end(route="live")
        assert {(await closed(each))[0] for each in (two, three)} == {1001}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"enabled": False}, 1001),
        ({"websocket": {"enabled": False}}, 1001),
        ({"respond": {"status": 200}}, 1012),
    ],
)
async def test_a_route_that_goes_closes_at_once_where_it_says_so(change: dict[str, Any], code: int) -> None:
    async with line(socket={"on_change": "close"}) as there, there.connect() as socket:
        raw = (
            other(there, websocket={"on_change": "close"}, **change)
            if "websocket" not in change
            else other(there, **change)
        )
        if "respond" in change:
            raw["routes"][0].pop("service")
        swap(there, raw)
        assert await closed(socket) == (code, "the route has changed")


async def test_leave_and_drain() -> None:
    """The usual choice leaves connections alone; draining takes its time, and stops where the route comes back."""
    sockets = Sockets(rng=Random(1), drain_s=0.2)
    async with line(sockets=sockets) as there, there.connect() as socket:
        swap(there, document(route("new", respond={"status": 200})))
        await socket.send("x")
        assert await socket.recv() == "x"

    sockets = Sockets(rng=Random(1), drain_s=0.2)
    async with line(socket={"on_change": "drain"}, sockets=sockets) as there, there.connect() as socket:
        swap(there, other(there, enabled=False))
        swap(there, there.raw)
        assert [each.leaving for each in sockets._open.values()] == [None]
        swap(there, other(there, enabled=False))
        assert await closed(socket) == (1001, "the route has changed")


async def test_nothing_else_ends_a_connection() -> None:
    """Other routes, other services, other settings of its own."""
    async with line(socket={"on_change": "close"}) as there, there.connect() as socket:
        raw = other(there, timeout="7s")
        raw["routes"].append(route("new", path="/new", respond={"status": 200}))
        swap(there, raw)
        await socket.send("x")
        assert await socket.recv() == "x"


@pytest.mark.parametrize("how", ["revoked", "expired", "revoked before"])
async def test_credentials_that_end(how: str) -> None:
    """By their time, and by what takes them back, even while the handshake was under way: 4401."""
    changes, now = Changes(), time.time()
    sockets = Sockets(rng=Random(1), changes=changes)
    callers = Callers()
    until = now + (0.3 if how == "expired" else 60)
    callers.token("t1", subjects=("user:1",), seq=0, issued_at=now, expires_at=until)
    callers.token("t2", subjects=("user:2",), seq=0, issued_at=now, expires_at=now + 1e7)
    keeper = Gatekeeper(
        authenticator(callers, clock=time.time), realm="t", pepper=PEPPER, mint=minted, report=lambda _: None
    )
    if how == "revoked before":
        changes.note([Change(1, "user:1", now)])
    async with line(sockets=sockets, plane={"keeper": keeper}, auth={"level": "user"}) as there:
        connections = [
            there.connect(additional_headers={"Authorization": f"Bearer {each}"}) for each in ("t1", "t2")
        ]
        async with connections[0] as one, connections[1] as two:
            if how == "revoked":
                changes.note([Change(1, "user:1", now), Change(2, "user:9", now)])
            assert (await closed(one))[0] == 4401
            await two.send("x")
            assert await two.recv() == "x"
            ((facts, _, _),) = sockets.told(10)
            assert facts.user == "ada"


async def test_an_identity_provider_that_goes() -> None:
    """Its callers' connections end, those that are still opened included; who has the same id here stays."""
    sockets, callers = Sockets(rng=Random(1)), Callers()
    callers.token("eve", consumer="idp:1", user_id="1", provider="idp")
    callers.token("ann", consumer="ann", user_id="1", subjects=("user:1",))
    keeper = Gatekeeper(authenticator(callers), realm="t", pepper=PEPPER, mint=minted, report=lambda _: None)
    async with line(sockets=sockets, plane={"keeper": keeper}, auth={"level": "user"}) as there:
        eve, ann = ({"additional_headers": {"Authorization": f"Bearer {who}"}} for who in ("eve", "ann"))
        snapshot = there.plane._current()
        async with there.connect(**eve) as one, there.connect(**ann) as other:
            sockets.reconcile(replace(snapshot, providers=(provider(),)))
            await one.send("x")
            assert await one.recv() == "x"
            sockets.reconcile(snapshot)
            assert await closed(one) == (4401, "the identity provider is gone")
            await other.send("x")
            assert await other.recv() == "x"
        async with there.connect(**eve) as late:
            assert await closed(late) == (4401, "the identity provider is gone")


async def test_a_cookie_opens_no_connection_for_another_sites_page() -> None:
    """Whichever page sent it first: browsers ask no other site before a page may connect."""
    callers = Callers()
    text, _ = callers.ticket(tickets.SESSION, subjects=("user:1",))
    keeper = Gatekeeper(authenticator(callers), realm="t", pepper=PEPPER, mint=minted, report=lambda _: None)
    async with line(plane={"keeper": keeper}, auth={"level": "user"}) as there:
        cookie = {"Cookie": f"torana_session={text}"}
        here = f"http://127.0.0.1:{there.plane.port}"
        for _ in range(2):
            async with there.connect(additional_headers=cookie, origin=here) as socket:
                await socket.send("x")
                assert await socket.recv() == "x"
            with pytest.raises(InvalidStatus) as raised:
                await there.connect(additional_headers=cookie, origin="http://evil.example").__aenter__()
            assert raised.value.response.status_code == 403
