"""Callers through the whole data plane, on real sockets, with real tokens: who passes, and what the upstream sees."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import jwt
import pytest

from authproxy import csrf, tickets
from authproxy.authenticate import Authenticator
from authproxy.changes import Change, Changes
from authproxy.keyring import KeyRing
from authproxy.keyset import Fetched
from authproxy.keysets import KeySets
from authproxy.minting import Mint
from authproxy.verifier import TokenVerifier
from tests.support.callers import NOW, PEPPER, Callers, Clock, gatekeeper
from tests.support.gateway import RawClient, data_plane, document
from tests.support.jose import SECRET
from tests.support.recording import Recording
from tests.support.upstreams import ReceivedRequest, ScriptedUpstream

UNTIMED: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
TOLD = ("x-user-id", "x-user-name", "x-user-roles", "x-user-scopes", "x-consumer", "x-auth-method")


async def no_documents(_url: str) -> Fetched:
    raise AssertionError("nothing is to be fetched here")


class Site:
    """A gateway in front of one upstream, with its own keys and a store that knows `callers`."""

    def __init__(self) -> None:
        self.callers = Callers()
        self.changes = Changes()
        self.clock = Clock()
        self.recording = Recording()
        self._ring = KeyRing.fixed(SECRET, "HS256")
        key_sets = KeySets(no_documents, clock=self.clock)
        verifier = TokenVerifier(
            issuer="torana", keyring=lambda: self._ring, key_sets=key_sets, wall_clock=self.clock
        )
        mint = partial(Mint(issuer="torana").mint, keyring=self._ring, now=NOW)
        self.keeper = gatekeeper(mint=mint)
        self.keeper.authenticator = Authenticator(
            verifier=verifier,
            store=self.callers,
            changes=self.changes,
            pepper=PEPPER,
            wall_clock=self.clock,
        )

    def token(self, **claims: Any) -> str:
        """As the gateway issues it to ada."""
        usual = {
            "iss": "torana",
            "sub": "7",
            "name": "ada",
            "consumer": "ada",
            "exp": int(NOW) + 60,
            "scope": "read",
            "seq": 0,
        }
        return "Authorization: Bearer " + self._ring.sign({**usual, **claims})

    @property
    def last(self) -> ReceivedRequest:
        return self.recording.last

    def told(self) -> dict[str, str]:
        """What the upstream was last told of the caller."""
        fields = {name.lower().decode(): value.decode() for name, value in self.last.headers}
        return {name: fields[name] for name in TOLD if name in fields}


@asynccontextmanager
async def serving(**keys: Any) -> AsyncIterator[tuple[Site, RawClient]]:
    """A site with one closed route, and a client connected to it."""
    site = Site()
    entry = {"name": "r", "match": {"path": "/"}, "service": "s", **keys}
    async with ScriptedUpstream(site.recording) as upstream:
        raw = {
            **document(entry, services={"s": upstream.url}),
            "roles": [{"name": "boss", "scopes": ["write"]}],
        }
        async with data_plane(raw, keeper=site.keeper) as plane, RawClient(plane.port) as client:
            yield site, client


async def test_closed_route_lets_nobody_through_unknown() -> None:
    """The upstream never hears of it; the client is told how to come in."""
    async with serving() as (site, client):
        answer = await client.get("/x")
        forged = await client.get("/x", site.token()[:-4] + "AAAA")

    assert site.recording.requests == []
    assert [answer.status, forged.status] == [401, 401]
    assert answer.values("www-authenticate") == ['Bearer realm="torana"', 'ApiKey realm="torana"']
    assert json.loads(forged.body)["error"]["details"]["reason"] == "invalid"


async def test_caller_is_told_to_the_upstream_and_the_credential_is_not() -> None:
    """By a token and by an API key."""
    async with serving() as (site, client):
        key, _ = site.callers.ticket(consumer="bot", kind="service", direct=frozenset({"read"}))
        await client.get("/x", site.token(roles=["boss"], own_scopes=["read"], scope="read write"))
        by_token, first = site.told(), site.last
        await client.get("/x", f"X-API-Key: {key}", "Cookie: theme=dark")
        by_key, second = site.told(), site.last

    assert by_token == {
        "x-user-id": "7",
        "x-user-name": "ada",
        "x-user-roles": "boss",
        "x-user-scopes": "read write",
        "x-consumer": "ada",
        "x-auth-method": "jwt",
    }
    assert by_key == {"x-user-scopes": "read", "x-consumer": "bot", "x-auth-method": "api_key"}
    assert first.values("authorization") == second.values("x-api-key") == []
    assert second.values("cookie") == [b"theme=dark"]


@pytest.mark.parametrize("spelling", ["X-User-Id", "x_user_id", "X-USER_ID", "X-Consumer", "x_auth_method"])
@pytest.mark.parametrize("tells", ["headers", "token", "none"])
async def test_nobody_states_an_identity_but_the_gateway(spelling: str, tells: str) -> None:
    """Whatever the spelling, and whatever the route tells the upstream."""
    async with serving(forward_identity=tells, auth={"level": "public"}) as (site, client):
        await client.get("/x", f"{spelling}: admin")
        await client.get("/x", f"{spelling}: admin", site.token())

    values = {value for request in site.recording.requests for _, value in request.headers}
    assert b"admin" not in values


async def test_upstream_s_token_is_for_it_alone_and_short_lived() -> None:
    """It can be verified with the gateway's key; the gateway itself does not accept it."""
    async with serving(forward_identity="token") as (site, client):
        await client.get("/x", site.token(), "Cookie: a=1")
        (field,) = site.last.values("authorization")
        back = await client.get("/x", f"Authorization: {field.decode()}")

    claims = jwt.decode(field.split()[1], SECRET, ["HS256"], audience="s", options=UNTIMED)
    assert (claims["sub"], claims["scope"], claims["exp"]) == ("7", "read", int(NOW) + 60)
    assert (back.status, site.told()) == (401, {})


@pytest.mark.parametrize(
    ("auth", "status", "lacking"),
    [
        ({"scopes": ["read"]}, 200, None),
        ({"scopes": ["read", "write"]}, 403, {"missing_scopes": ["write"]}),
        ({"level": "admin"}, 403, {"level": "admin"}),
        ({"level": "service"}, 403, {"level": "service"}),
        ({"roles": ["boss"]}, 403, {"roles": ["boss"]}),
        ({"methods": ["api_key"]}, 401, {"reason": "missing", "methods": ["api_key"]}),
    ],
)
async def test_routes_ask_for_more(auth: Any, status: int, lacking: Any) -> None:
    """Of ada, who may read."""
    async with serving(auth=auth) as (site, client):
        answer = await client.get("/x", site.token())

    assert answer.status == status
    if lacking:
        assert json.loads(answer.body)["error"]["details"] == lacking


async def test_end_of_a_session_ends_its_token_at_the_next_request() -> None:
    """On a connection that stays open."""
    async with serving() as (site, client):
        statuses = [(await client.get("/x", site.token(sid="s1"))).status]
        site.changes.note([Change(1, "session:s1", NOW)])
        statuses.append((await client.get("/x", site.token(sid="s1"))).status)
        statuses.append((await client.get("/x", site.token(sid="s2"))).status)

    assert statuses == [200, 401, 200]


async def test_token_ends_to_the_second() -> None:
    """Though it was accepted a moment ago."""
    async with serving() as (site, client):
        statuses = [(await client.get("/x", site.token())).status]
        site.clock.now = NOW + 60
        answer = await client.get("/x", site.token())

    assert [*statuses, answer.status] == [200, 401]
    assert json.loads(answer.body)["error"]["details"]["reason"] == "expired"


async def test_session_cookie_is_taken_out_and_the_others_stay() -> None:
    """A write of the user's own doing; one that another site caused does not arrive."""
    async with serving() as (site, client):
        cookie, _ = site.callers.ticket(tickets.SESSION, session="s1")
        field = f"Cookie: a=1; torana_session={cookie}; torana_admin=x; b=2"
        own = f"X-CSRF-Token: {csrf.token_for('s1', pepper=PEPPER)}"
        meant = await client.get("/x", field, own, method="POST", body=b"{}")
        caused = await client.get("/x", field, "Origin: https://evil.test", method="POST", body=b"{}")

    assert [meant.status, caused.status] == [200, 403]
    assert [request.values("cookie") for request in site.recording.requests] == [[b"a=1; b=2"]]


async def test_refused_upload_leaves_the_connection_in_order() -> None:
    """The next request on it is a request of its own, not a part of the body."""
    async with serving() as (site, client):
        refused = await client.get("/x", method="POST", body=b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await client.get("/y", site.token())

    assert [refused.status, answer.status] == [401, 200]
    assert [request.target for request in site.recording.requests] == [b"/y"]


async def test_hundreds_of_callers_at_once_are_told_apart() -> None:
    """Everybody's request arrives as theirs."""
    async with serving() as (site, client):
        port = client.writer.get_extra_info("peername")[1]

        async def call(number: int) -> str:
            async with RawClient(port) as own:
                await own.get("/x", site.token(sub=str(number)), f"X-Number: {number}")
            return ""

        for begin in range(0, 300, 100):
            await asyncio.gather(*(call(number) for number in range(begin, begin + 100)))

    seen = {(each.values("x-number")[0], each.values("x-user-id")[0]) for each in site.recording.requests}
    assert len(seen) == 300
    assert all(number == user for number, user in seen)
