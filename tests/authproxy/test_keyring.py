"""The gateway's own keys."""

import jwt
import pytest

from authproxy import jws
from authproxy.keyring import KeyRing
from authproxy.signatures import UnusableKey, private_key, secret_key
from authproxy.tokens import is_signed_by
from tests.support.jose import SECRET, pem, private

OLD = private_key(pem(private("RS256", "old")), "RS256", kid="old")
NEW = private_key(pem(private("RS256", "new")), "RS256", kid="new")
FIXED = secret_key(SECRET, "HS256")


def test_fixed_secret() -> None:
    """JWT_SECRET of an HS algorithm: no name in the header, nothing to publish."""
    ring = KeyRing.fixed(SECRET, "HS512")
    made = ring.sign({"sub": "7"})

    assert jwt.decode(made, SECRET, ["HS512"]) == {"sub": "7"}
    assert jwt.get_unverified_header(made) == {"alg": "HS512", "typ": "JWT"}
    assert ring.public_jwks() == {"keys": []}
    assert SECRET not in repr(ring)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_fixed_private_key(algorithm: str) -> None:
    """JWT_SECRET that holds a PEM: others verify with what is published."""
    ring = KeyRing.fixed(pem(private(algorithm)), algorithm)
    made = ring.sign({"sub": "7"}, typ="at+jwt")
    published = jwt.PyJWKSet.from_dict(ring.public_jwks())
    header = jwt.get_unverified_header(made)

    assert jwt.decode(made, published[header["kid"]].key, [algorithm]) == {"sub": "7"}
    assert header["typ"] == "at+jwt"
    assert repr(ring) == f"<KeyRing of 1, signs by {algorithm}>"


@pytest.mark.parametrize(("secret", "algorithm"), [(SECRET, "RS256"), (pem(private("ES256")), "HS256")])
def test_secret_that_does_not_fit_the_algorithm(secret: str, algorithm: str) -> None:
    """It is said at the start, not at the first token."""
    with pytest.raises(UnusableKey):
        KeyRing.fixed(secret, algorithm)


def test_rotation_overlaps() -> None:
    """Tokens of the old key and of the new one are both found by name; the signing key signs."""
    before, after = KeyRing((OLD, NEW), OLD), KeyRing((NEW, OLD), NEW)
    tokens = [jws.parse(ring.sign_bytes({"sub": "7"})) for ring in (before, after)]

    assert [token.header.kid for token in tokens] == ["old", "new"]
    for ring in (before, after):
        for token in tokens:
            assert is_signed_by(token, ring.find(*token.header))
    assert len(after.public_jwks()["keys"]) == 2


def test_finding_keys() -> None:
    """By name within an algorithm; without a name, all of the algorithm; never one of another algorithm."""
    ring = KeyRing((OLD, NEW, FIXED), NEW)

    assert ring.find("RS256", "old") == (OLD,)
    assert ring.find("RS256", None) == (OLD, NEW)
    assert ring.find("HS256", None) == (FIXED,)
    assert ring.find("HS256", "old") == ()
    assert ring.find("RS256", "gone") == ()
    assert ring.find("none", None) == ()


def test_ring_that_signs_nothing() -> None:
    """Verification goes on where no key can sign."""
    ring = KeyRing((OLD,), None)

    assert ring.signing is None
    assert ring.find("RS256", "old") == (OLD,)
    assert repr(ring) == "<KeyRing of 1, signs by nothing>"


def test_reading_what_was_signed() -> None:
    """For refresh tokens: whether it is ours is all that is asked, neither its age nor what it is for."""
    ring = KeyRing((FIXED,), FIXED)
    made = ring.sign_bytes({"token_type": "refresh", "exp": 1})

    assert ring.read(made) == {"token_type": "refresh", "exp": 1}
    assert ring.read(made[:-2]) is None
    assert ring.read(b"rubbish") is None
    assert KeyRing((NEW,), NEW).read(made) is None
