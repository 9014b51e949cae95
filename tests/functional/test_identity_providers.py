"""Tokens of a real OpenID provider, which runs as a process: accepted, rotated, withdrawn, away, lied about."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from authproxy.admission import Gatekeeper
from authproxy.authenticate import Authenticator, NoStore
from authproxy.changes import Changes
from authproxy.fetching import DocumentFetcher
from authproxy.identity import Identity
from authproxy.keyring import KeyRing
from authproxy.keyset import Limits
from authproxy.keysets import KeySets
from authproxy.tokens import TokenRefusal
from authproxy.verifier import TokenVerifier
from routing.snapshot import CompiledProvider
from tests.support import oidc
from tests.support.callers import PEPPER
from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.jose import SECRET, private, provider, segment, token
from tests.support.oidc import Provider
from tests.support.oidcserver import CLIENT_ID
from tests.support.telling import tell
from tests.support.upstreams import ScriptedUpstream

QUICK = Limits(least_ttl=0.5, floor=0.2, retry=0.05, longest_retry=0.1, wait=20.0)
"""As in production, but for tests that do not want to wait minutes for what takes minutes."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with oidc.process(tmp_path_factory.mktemp("provider")) as found:
        yield found


@pytest.fixture
async def idp(port: int) -> AsyncIterator[Provider]:
    """The provider, by a line of the test's own, so that its issuer is another one in each test."""
    async with oidc.reached(port) as found:
        await found.control("max-age", seconds=3600)
        yield found


def verifying(*, timeout_s: float = 10.0) -> tuple[TokenVerifier, KeySets]:
    ring = KeyRing.fixed(SECRET, "HS256")
    key_sets = KeySets(DocumentFetcher(timeout_s=timeout_s), clock=time.monotonic, limits=QUICK)
    return TokenVerifier(
        issuer="torana", keyring=lambda: ring, key_sets=key_sets, wall_clock=time.time
    ), key_sets


@asynccontextmanager
async def gateway(named: dict[str, Any], *, timeout_s: float = 10.0) -> AsyncIterator[RawClient]:
    """A data plane that knows this provider, and a client of it. `/read` and `/write` want that scope."""
    verifier, key_sets = verifying(timeout_s=timeout_s)
    changes = Changes()
    keeper = Gatekeeper(
        Authenticator(
            verifier=verifier, store=NoStore(), changes=changes, pepper=PEPPER, wall_clock=time.time
        ),
        realm="torana",
        pepper=PEPPER,
        mint=lambda *_: None,
        report=lambda _: None,
    )
    async with ScriptedUpstream(tell) as upstream:
        routes = [
            route(name, path=f"/{name}", service="teller", auth={"level": "user", "scopes": [name]})
            for name in ("read", "write")
        ]
        raw = document(*routes, services={"teller": upstream.url})
        raw["identity_providers"] = [{"name": "idp", **named}]
        async with data_plane(raw, keeper=keeper) as plane, RawClient(plane.port) as client:
            yield client
    await key_sets.aclose()


async def ask(client: RawClient, token: str, path: str = "/read") -> Answer:
    return await client.get(path, f"Authorization: Bearer {token}")


@pytest.mark.parametrize("by", ["jwks_url", "discovery_url"])
async def test_token_of_a_real_provider(by: str, idp: Provider) -> None:
    """Signed in there, known here: the upstream learns who calls; scopes open what they name."""
    token = await idp.id_token(scope="openid read")
    named = {by: getattr(idp, by), "audience": CLIENT_ID, "claims": {"name": "preferred_username"}}
    if by == "jwks_url":
        named["issuer"] = idp.issuer
    async with gateway(named) as client:
        answer = await ask(client, token)
        refused = await ask(client, token, "/write")

    told = orjson.loads(answer.body)
    assert answer.status == 200
    assert {name: told.get(name) for name in ("x-user-id", "x-user-name", "x-user-roles", "x-consumer")} == {
        "x-user-id": "1",
        "x-user-name": "ann",
        "x-user-roles": "analyst",
        "x-consumer": "idp:1",
    }
    assert set(told["x-user-scopes"].split()) == {"openid", "read"}
    assert "authorization" not in told
    assert (refused.status, orjson.loads(refused.body)["error"]["details"]) == (
        403,
        {"missing_scopes": ["write"]},
    )


async def test_token_for_somebody_else(idp: Provider) -> None:
    """The right key, but another audience or another issuer than configured."""
    token = await idp.id_token()
    others = (
        {"jwks_url": idp.jwks_url, "issuer": idp.issuer, "audience": "another-client"},
        {"jwks_url": idp.jwks_url, "issuer": f"{idp.issuer}/"},
        {"discovery_url": idp.discovery_url, "issuer": "https://idp.test"},
    )
    for named in others:
        async with gateway(named) as client:
            answer = await ask(client, token)
        assert (answer.status, orjson.loads(answer.body)["error"]["code"]) == (401, "AUTH_ERROR")


async def test_keys_rotate_under_load(idp: Provider) -> None:
    """Two rotations while requests go on: no valid token is refused, old or new, and few fetches are made."""
    tokens = [await idp.id_token()]
    before = await idp.key_requests()
    statuses: list[int] = []
    all_asked = asyncio.Event()

    async def load(client: RawClient) -> None:
        while tokens:
            for each in [*tokens]:
                statuses.append((await ask(client, each)).status)
            all_asked.set()

    async with gateway({"discovery_url": idp.discovery_url}) as client:
        loading = asyncio.create_task(load(client))
        for _ in range(2):
            await idp.control("rotate", keep=True)
            tokens[:] = [tokens[-1], await idp.id_token()]
            for _ in range(2):
                all_asked.clear()
                await all_asked.wait()
        tokens.clear()
        await loading

    assert set(statuses) == {200}
    assert await idp.key_requests() - before <= 4


async def test_withdrawn_key_ends_with_its_lifetime(idp: Provider) -> None:
    """The provider makes a new key and shows the old one no more: its tokens end, though they have not expired."""
    await idp.control("max-age", seconds=0)
    verifier, key_sets = verifying()
    by = _compiled(idp)
    token = (await idp.id_token()).encode()
    assert not isinstance(await _verdict(verifier, token, by), TokenRefusal)
    withdrawn = asyncio.Event()
    key_sets.subscribe(withdrawn.set)
    await idp.control("rotate", keep=False)
    async with asyncio.timeout(20):
        await withdrawn.wait()

    assert await _verdict(verifier, token, by) == TokenRefusal("invalid", "unknown_key")
    assert not isinstance(await _verdict(verifier, (await idp.id_token()).encode(), by), TokenRefusal)
    await key_sets.aclose()


@pytest.mark.parametrize("way", ["stopped", "hanging"])
async def test_provider_that_cannot_be_reached(way: str, idp: Provider) -> None:
    """Tokens of known keys go on; unknown ones get 503 and come again; afterwards all is well by itself."""
    token = await idp.id_token()
    await idp.control("rotate", keep=True)
    newer = await idp.id_token()
    async with gateway({"discovery_url": idp.discovery_url}, timeout_s=2.0) as client:
        assert (await ask(client, token)).status == 200
        await idp.control("rotate", keep=True)
        newest = await idp.id_token()
        idp.line.freeze() if way == "hanging" else await idp.line.stop()
        known = await ask(client, newer)
        since = time.monotonic()
        unknown = await ask(client, newest)
        waited = time.monotonic() - since
        again = await ask(client, token)
        idp.line.thaw() if way == "hanging" else await idp.line.start()
        async with asyncio.timeout(20):
            while (healed := await ask(client, newest)).status != 200:
                assert healed.status == 503
                await asyncio.sleep(0.05)

    assert (known.status, again.status, unknown.status) == (200, 200, 503)
    assert orjson.loads(unknown.body)["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert unknown.header("retry-after") is not None
    assert waited < 10


async def test_made_up_names_of_keys(idp: Provider) -> None:
    """10,000 tokens with 10,000 names are refused at the cost of a few fetches, and hold up nobody."""
    verifier, key_sets = verifying()
    by = _compiled(idp)
    true = (await idp.id_token()).encode()
    assert not isinstance(await _verdict(verifier, true, by), TokenRefusal)
    claims = {"iss": idp.issuer, "sub": "1", "exp": int(time.time()) + 600}
    _, body, signature = token(claims, key=private("RS256", "liar"), algorithm="RS256").split(b".")
    before = await idp.key_requests()

    def lie(number: int) -> bytes:
        return b".".join((segment({"alg": "RS256", "kid": f"made-up-{number}"}), body, signature))

    lies = asyncio.gather(*[_verdict(verifier, lie(number), by) for number in range(10_000)])
    honest = verifier.verify(true, (by,))
    verdicts = set(await lies)

    assert isinstance(honest, Identity)
    assert verdicts <= {
        TokenRefusal("invalid", "unknown_key"),
        TokenRefusal("unavailable", "keys_unavailable"),
    }
    assert await idp.key_requests() - before <= 2
    await key_sets.aclose()


def _compiled(idp: Provider) -> CompiledProvider:
    return provider(issuers=frozenset({idp.issuer}), jwks_url=idp.jwks_url)


async def _verdict(verifier: TokenVerifier, made: bytes, by: CompiledProvider) -> Identity | TokenRefusal:
    verdict = verifier.verify(made, (by,))
    return await verdict if isinstance(verdict, Awaitable) else verdict
