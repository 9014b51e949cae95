"""The keys of one route's requests."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from authproxy.caching.keys import NOBODY
from authproxy.caching.routekeys import RouteKeys, seen_fields
from authproxy.identity import Identity
from routing.paths import NormalPath
from routing.rewrite import CompiledRewrite
from routing.shapes.cache import CachePolicy
from routing.snapshot import CompiledRoute, HeaderOps
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

POLICY = CachePolicy()


def a_route(**keys: Any) -> CompiledRoute:
    raw = document(route(service="s", **keys), services={"s": "http://h.test"})
    return snapshot_of(raw).routes["r"]


def asked(
    *headers: tuple[bytes, bytes],
    identity: Identity | None = None,
    told: Any = (),
    forwarded: Any = (),
) -> Any:
    """As much of an exchange as keys are made of."""
    credentials = [pair for pair in headers if pair[0] in (b"authorization", b"cookie")]
    return SimpleNamespace(
        head=SimpleNamespace(
            credentials=credentials or None,
            host=b"H.Test",
            passed=list(headers),
            forwarding=list(forwarded) or None,
        ),
        identity=identity,
        snapshot=SimpleNamespace(roles={}),
        caller_fields=told,
        origin=SimpleNamespace(
            scheme="https", client_ip="1.2.3.4", fields=((b"x-forwarded-for", b"1.2.3.4"), *forwarded)
        ),
        path=NormalPath("/x", b"/x", has_encoded_slash=False),
        scope={"query_string": b"q", "headers": list(headers)},
    )


def test_a_key_is_the_url_and_what_the_policy_varies_by() -> None:
    """Hosts in lower case."""
    keys = RouteKeys(a_route(), replace(POLICY, vary=(b"accept",)))
    found = keys.of(asked((b"accept", b"a"), (b"x", b"y")))

    assert (found.owner, found.url, found.values) == (NOBODY, ("https", b"h.test", b"/x", b"q"), (b"a",))


def test_the_host_is_the_one_that_the_service_is_told() -> None:
    """A trusted proxy may have changed it: sites behind one proxy do not share, nor do proxies of one site."""
    keys = RouteKeys(a_route(), POLICY)
    one, other, same = (
        keys.of(asked(forwarded=((b"x-forwarded-host", host),))) for host in (b"a.test", b"b.test", b"H.Test")
    )

    assert (one.url[1], other.url[1]) == (b"a.test", b"b.test")
    assert one.values == (b"H.Test",)
    assert same == keys.of(asked())


def test_what_a_route_sends_by_variables_distinguishes() -> None:
    """A tenant in the path is another service's answer, and so is an address in a field."""
    variable = SimpleNamespace(name="request.header.X-Tenant")
    address = SimpleNamespace(name="request.client_ip")
    base = a_route()
    rewrite, ops = CompiledRewrite(), HeaderOps()
    object.__setattr__(rewrite, "template", SimpleNamespace(pieces=(b"/t/", variable)))
    object.__setattr__(ops, "templates", ((b"x", SimpleNamespace(pieces=(address,))),))
    by_tenant = RouteKeys(replace(base, rewrite=rewrite), POLICY)
    by_address = RouteKeys(replace(base, request_headers=ops), POLICY)

    assert by_tenant.of(asked((b"x-tenant", b"a"))) != by_tenant.of(asked((b"x-tenant", b"b")))
    assert by_tenant.of(asked((b"x-tenant", b"a"))).values == (b"a",)
    assert by_address.of(asked()).values == (b"1.2.3.4",)


def test_a_configuration_that_would_ask_otherwise_has_other_keys() -> None:
    """What only concerns clients does not count."""
    same = [a_route(), a_route(timeout="9s"), a_route(response_headers={"set": {"x": "1"}})]
    others = [
        a_route(rewrite={"prefix": "/v2"}),
        a_route(request_headers={"set": {"x": "1"}}),
        a_route(forward_identity="none"),
        a_route(forward_credentials="all"),
    ]

    assert len({RouteKeys(each, POLICY).of(asked()) for each in same}) == 1
    assert len({RouteKeys(each, POLICY).of(asked()) for each in [a_route(), *others]}) == 5
    assert RouteKeys(a_route(), replace(POLICY, ttl_s=5.0)).of(asked()) != RouteKeys(a_route(), POLICY).of(
        asked()
    )


def test_a_minted_token_is_not_the_clients() -> None:
    """Of another credential the service has to say that its answers may be kept."""
    ada = Identity(method="jwt", consumer="ada", user_id="1")
    token = ((b"authorization", b"Bearer x"),)
    minting, passing = RouteKeys(a_route(forward_identity="token"), POLICY), RouteKeys(a_route(), POLICY)

    assert not minting.passes_authorization(asked(*token, identity=ada, told=token))
    assert minting.passes_authorization(asked(*token, told=token))
    assert passing.passes_authorization(asked(*token, identity=ada, told=token))
    assert not passing.passes_authorization(asked(*token, identity=ada))
    assert not passing.passes_authorization(asked())


def test_vary_is_about_all_that_the_service_sees() -> None:
    """What clients sent, who they are, and where they come from."""
    told = ((b"x-user-id", b"1"),)
    fields = seen_fields(asked((b"accept", b"a"), told=told))

    assert [name for pairs in fields for name, _ in pairs] == [b"accept", b"x-user-id", b"x-forwarded-for"]


def test_what_an_aggregate_picks_counts() -> None:
    """Nobody gets what an earlier expression picked."""

    def picking(pick: str) -> CompiledRoute:
        part = {"service": "s", "path": "/", "pick": pick}
        raw = document(route(aggregate={"parts": {"a": part}}), services={"s": "http://h.test"})
        return snapshot_of(raw).routes["r"]

    one, same, other = [RouteKeys(picking(pick), POLICY).of(asked()) for pick in ("a", "a", "b")]

    assert one == same
    assert one != other
