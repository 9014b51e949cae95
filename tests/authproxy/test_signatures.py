"""Keys, and what they are good for."""

import hmac
from base64 import b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from authproxy.signatures import (
    ASYMMETRIC,
    SYMMETRIC,
    Key,
    UnusableKey,
    _mac,
    key_of_jwk,
    private_key,
    secret_key,
    thumbprint,
)
from tests.support.jose import SECRET, jwk, pem, private, segment

SIGNED = b"what is signed"
ISSUED = sorted(ASYMMETRIC - {"PS256", "PS384", "PS512"})


def key_for(algorithm: str) -> Key:
    if algorithm in SYMMETRIC:
        return secret_key(SECRET, algorithm)
    return private_key(pem(private(algorithm)), algorithm)


@pytest.mark.parametrize("algorithm", [*sorted(SYMMETRIC), *ISSUED])
def test_signature_is_right_for_its_bytes_only(algorithm: str) -> None:
    """Signed here, verified by PyJWT, and the other way round; a changed bit is noticed on either side."""
    key = key_for(algorithm)
    theirs = get_default_algorithms()[algorithm]
    signature = key.sign(algorithm, SIGNED)
    flipped = bytes([signature[0] ^ 1]) + signature[1:]

    assert theirs.verify(SIGNED, key.public, signature)
    assert key.verifies(algorithm, SIGNED, theirs.sign(SIGNED, key.private))
    assert not key.verifies(algorithm, SIGNED + b".", signature)
    assert not key.verifies(algorithm, SIGNED, flipped)
    assert not key.verifies(algorithm, SIGNED, signature[:-1])
    assert not key.verifies(algorithm, SIGNED, b"")


@pytest.mark.parametrize("algorithm", [*sorted(SYMMETRIC), *ISSUED])
def test_key_serves_no_other_algorithm(algorithm: str) -> None:
    """Of whichever spelling: names are taken as they are registered."""
    key = key_for(algorithm)
    signature = key.sign(algorithm, SIGNED)

    for other in (SYMMETRIC | ASYMMETRIC | {"none", "None", algorithm.lower(), "ES256K", ""}) - {algorithm}:
        assert not key.verifies(other, SIGNED, signature)


def test_public_key_is_no_shared_secret() -> None:
    """The classic confusion: an HS256 signature keyed with the text of the public key, which everybody has."""
    public = private("RS256").public_key()
    shown = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forged = get_default_algorithms()["HS256"].sign(SIGNED, shown)

    assert not key_for("RS256").verifies("HS256", SIGNED, forged)
    for text in (
        shown,
        pem(private("RS256")),
        '{"kty":"RSA","n":"AQAB"}',
        '{"kty":"oct","k":"c2VjcmV0"}',
        "",
    ):
        with pytest.raises(UnusableKey):
            secret_key(text, "HS256")
    with pytest.raises(UnusableKey):
        secret_key(SECRET, "RS256")


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512"])
def test_psychic_signatures_are_wrong(algorithm: str) -> None:
    """r = s = 0 verifies anything where nobody checks the range (CVE-2022-21449); so does DER in place of r and s."""
    key = key_for(algorithm)
    size = len(key.sign(algorithm, SIGNED)) // 2
    order = b"\xff" * size

    for blank in (
        bytes(2 * size),
        bytes(size) + order,
        order + bytes(size),
        order + order,
        bytes(2 * size + 2),
    ):
        assert not key.verifies(algorithm, SIGNED, blank)
    hashed = get_default_algorithms()[algorithm].hash_alg()  # type: ignore[attr-defined]
    assert not key.verifies(algorithm, SIGNED, private(algorithm).sign(SIGNED, ec.ECDSA(hashed)))


@pytest.mark.parametrize("algorithm", ISSUED)
def test_published_key_verifies(algorithm: str) -> None:
    """What the gateway shows of its key is what a client needs, and nothing more."""
    key = key_for(algorithm)
    shown = key.public_jwk()
    assert shown is not None
    made = jwt.encode({"sub": "7"}, pem(private(algorithm)), algorithm)

    assert jwt.decode(made, jwt.PyJWK(shown).key, [algorithm]) == {"sub": "7"}
    assert (shown["alg"], shown["use"], shown["kid"]) == (algorithm, "sig", key.kid)
    assert not shown.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert key_of_jwk(shown).verifies(algorithm, SIGNED, key.sign(algorithm, SIGNED))


def test_secret_is_never_shown() -> None:
    """Neither as a JWK nor by repr."""
    key = secret_key(SECRET, "HS256", kid="k")

    assert key.public_jwk() is None
    assert SECRET not in repr(key)
    assert "private" not in repr(key_for("ES256"))


def test_thumbprint_is_the_standard_one() -> None:
    """The example of RFC 7638 section 3.1."""
    example = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d"
        "0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-cs"
        "FCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
    }

    assert thumbprint(key_of_jwk(example).public) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_private_key_from_the_environment() -> None:
    """Line ends may be two characters; the name follows from the key; older forms of PEM are read."""
    text = pem(private("RS256"))
    older = private("RS256").private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    assert private_key(text.replace("\n", "\\n"), "RS256") == private_key(text, "RS256")
    assert private_key(older, "RS256").kid == thumbprint(private("RS256").public_key())
    assert private_key(text, "RS256", kid="mine").kid == "mine"


def unusable_pems() -> dict[str, tuple[str, str]]:
    encrypted = private("ES256").private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    return {
        "no PEM": (SECRET, "RS256"),
        "nothing": ("", "RS256"),
        "encrypted": (encrypted.decode(), "ES256"),
        "another kind": (pem(private("ES256")), "RS256"),
        "another curve": (pem(private("ES384")), "ES256"),
        "a curve that is not used": (pem(ec.generate_private_key(ec.SECP256K1())), "ES256"),
        "Ed448": (pem(ed448.Ed448PrivateKey.generate()), "EdDSA"),
        "a key that agrees, not signs": (pem(x25519.X25519PrivateKey.generate()), "EdDSA"),
        "too short": (pem(rsa.generate_private_key(65537, 1024)), "RS256"),
        "for HS256": (pem(private("RS256")), "HS256"),
    }


@pytest.mark.parametrize("name", unusable_pems())
def test_unusable_private_key(name: str) -> None:
    """It is refused with a reason that quotes nothing of it."""
    text, algorithm = unusable_pems()[name]
    with pytest.raises(UnusableKey) as raised:
        private_key(text, algorithm)

    assert "BEGIN" not in str(raised.value)
    assert SECRET not in str(raised.value)


RSA_JWK = jwk("RS256", "r")
EC_JWK = jwk("ES256", "e")


@pytest.mark.parametrize(
    ("shown", "algorithms"),
    [
        (RSA_JWK, {"RS256"}),
        ({**RSA_JWK, "alg": None}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ({**RSA_JWK, "alg": "PS256"}, {"PS256"}),
        ({**RSA_JWK, "alg": "HS256"}, set()),
        ({**RSA_JWK, "alg": "none"}, set()),
        ({**RSA_JWK, "key_ops": ["verify"]}, {"RS256"}),
        ({**EC_JWK, "alg": None}, {"ES256"}),
        ({**EC_JWK, "alg": "ES384"}, set()),
        (jwk("EdDSA", "d", alg=None), {"EdDSA"}),
    ],
)
def test_what_a_published_key_is_good_for(shown: dict[str, Any], algorithms: set[str]) -> None:
    """What fits it, and only what its issuer says if it says so."""
    assert key_of_jwk({name: value for name, value in shown.items() if value}).algorithms == algorithms


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"kty": "oct", "k": segment(SECRET).decode(), "kid": "r", "alg": "HS256"},
        {**RSA_JWK, "use": "enc"},
        {**RSA_JWK, "use": ["sig"]},
        {**RSA_JWK, "key_ops": ["sign"]},
        {**RSA_JWK, "key_ops": 7},
        {**RSA_JWK, "kty": ["RSA"]},
        {**RSA_JWK, "kty": "EC"},
        {**RSA_JWK, "kid": 7},
        {**RSA_JWK, "alg": ["RS256"]},
        {**RSA_JWK, "n": 7},
        {**RSA_JWK, "n": "!"},
        {**RSA_JWK, "n": ""},
        {**RSA_JWK, "e": "AQ"},
        {**RSA_JWK, "n": None},
        {**RSA_JWK, "n": "AQAB"},
        {**EC_JWK, "x": EC_JWK["y"]},
        {**EC_JWK, "crv": "P-384"},
        {**EC_JWK, "crv": "secp256k1"},
        {**EC_JWK, "crv": None},
        {**jwk("EdDSA", "d"), "crv": "X25519"},
        {**jwk("EdDSA", "d"), "x": "AQAB"},
    ],
)
def test_published_key_that_is_passed_over(shown: dict[str, Any]) -> None:
    """Secrets, keys for encryption, other kinds, and what is broken in any way."""
    with pytest.raises(UnusableKey):
        key_of_jwk(shown)


def test_huge_keys_cost_nobody_anything() -> None:
    """A published key of 16,384 bits would make each verification expensive."""
    modulus = (1 << 16383) + 1
    huge = b64encode(modulus.to_bytes(2048, "big"), altchars=b"-_").rstrip(b"=").decode()
    with pytest.raises(UnusableKey):
        key_of_jwk({"kty": "RSA", "n": huge, "e": "AQAB"})


def test_private_half_of_a_published_key_is_dropped() -> None:
    """An issuer's mistake stays out of our memory."""
    whole = get_default_algorithms()["ES256"].to_jwk(private("ES256", "e"), as_dict=True)

    assert key_of_jwk({**whole, "key_ops": ["verify"]}).private is None
    assert not hasattr(key_of_jwk({**whole, "key_ops": ["verify"]}).public, "sign")


@given(st.binary(max_size=200), st.binary(max_size=300), st.sampled_from(["sha256", "sha384", "sha512"]))
def test_macs_are_the_library_s(secret: bytes, message: bytes, digest: str) -> None:
    """For keys that are shorter and longer than a block, asked for again."""
    for _ in range(2):
        assert _mac(secret, digest, message) == hmac.digest(secret, message, digest)
