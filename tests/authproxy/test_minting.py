"""Identity tokens for upstreams."""

from typing import Any

import jwt
import pytest

from authproxy import jws
from authproxy.identity import Identity
from authproxy.keyring import KeyRing
from authproxy.minting import LIFETIME_S, Mint
from authproxy.tokens import TokenRefusal, judge_own
from tests.support.jose import ISSUER, NOW, SECRET, pem, private

RING = KeyRing.fixed(SECRET, "HS256")
ROLES = {"analyst": frozenset({"read"})}


def caller(**fields: Any) -> Identity:
    return Identity(**{"method": "api_key", "user_id": "7", "name": "ann", "consumer": "ann-app", **fields})


def read(token: bytes | None, service: str = "orders") -> dict[str, Any]:
    assert token is not None
    said: dict[str, Any] = jwt.decode(
        token, SECRET, ["HS256"], audience=service, options={"verify_exp": False, "verify_iat": False}
    )
    return said


def mint(
    identity: Identity, service: str = "orders", *, by: Mint | None = None, roles: Any = ROLES, **more: Any
) -> bytes | None:
    return (by or Mint(issuer=ISSUER)).mint(identity, roles, service, **{"keyring": RING, "now": NOW, **more})


def test_who_calls() -> None:
    """Everything that the header fields would say, for one service, for a minute."""
    said = read(mint(caller(roles=frozenset({"b", "analyst"}), direct=frozenset({"write"}), plan="gold")))

    assert said == {
        "iss": "torana",
        "sub": "7",
        "aud": "orders",
        "iat": int(NOW),
        "exp": int(NOW) + 60,
        "token_type": "identity",
        "name": "ann",
        "consumer": "ann-app",
        "kind": "user",
        "roles": ["analyst", "b"],
        "scope": "read write",
        "auth_method": "api_key",
        "plan": "gold",
    }


def test_service_has_no_account() -> None:
    """Its subject is its consumer's name."""
    assert read(mint(caller(user_id="", kind="service", consumer="reports")))["sub"] == "consumer:reports"


def test_upstream_verifies_with_published_keys() -> None:
    """With an asymmetric algorithm it needs no secret."""
    ring = KeyRing.fixed(pem(private("ES256")), "ES256")
    token = mint(caller(), keyring=ring)
    assert token is not None
    keys = jwt.PyJWKSet.from_dict(ring.public_jwks())
    key = keys[jwt.get_unverified_header(token)["kid"]].key

    said = jwt.decode(token, key, ["ES256"], audience="orders", options={"verify_iat": False})
    assert said["sub"] == "7"


@pytest.mark.parametrize("service", ["orders", ISSUER])
def test_gateway_does_not_accept_it(service: str) -> None:
    """An upstream that got it cannot call the gateway as the client, whatever the service is called."""
    token = mint(caller(), service)
    assert token is not None

    verdict = judge_own(jws.parse(token), RING.keys, issuer=ISSUER, now=NOW)
    assert verdict == TokenRefusal("invalid", "wrong_token_type")


def test_token_is_sent_again_for_half_its_life() -> None:
    """Never one that might expire on its way."""
    by, ann = Mint(issuer=ISSUER), caller()
    first = mint(ann, by=by)

    assert mint(ann, by=by, now=NOW + 29) is first
    later = mint(ann, by=by, now=NOW + 30)
    assert read(later)["exp"] == int(NOW) + 30 + LIFETIME_S


def test_token_says_what_holds_now() -> None:
    """Other roles, another key, another service or caller: another token."""
    by, ann = Mint(issuer=ISSUER), caller(roles=frozenset({"analyst"}))
    first = mint(ann, by=by)
    wider = mint(ann, by=by, roles={"analyst": frozenset({"read", "write"})})
    rekeyed = mint(ann, by=by, keyring=KeyRing.fixed(SECRET * 2, "HS256"))

    assert read(wider)["scope"] == "read write"
    assert rekeyed != first
    assert read(mint(ann, "bills", by=by), "bills")["aud"] == "bills"
    assert read(mint(caller(user_id="8"), by=by))["sub"] == "8"


def test_token_ends_with_the_credential() -> None:
    """What the caller may do for ten seconds more, it may do for ten seconds more."""
    by, ann = Mint(issuer=ISSUER), caller(expires_at=NOW + 10.5)
    first = mint(ann, by=by)

    assert read(first)["exp"] == int(NOW) + 10
    assert mint(ann, by=by, now=NOW + 9) is first


def test_memory_is_bounded() -> None:
    """The oldest go; a caller that comes again gets a new one."""
    by = Mint(issuer=ISSUER, limit=3)
    callers = [caller(user_id=str(number)) for number in range(5)]
    tokens = [mint(each, by=by) for each in callers]

    assert len(by._minted) == 3
    assert mint(callers[4], by=by) is tokens[4]
    assert mint(callers[0], by=by) is not tokens[0]


def test_nothing_is_minted_without_a_key() -> None:
    """Then nobody can be told who calls."""
    assert mint(caller(), keyring=KeyRing(RING.keys, None)) is None
