"""P: Signing and verifying bytes (RFC 7515, 7518, 8037): the only module that knows the JWT library's algorithms.

A key serves the algorithms that fit it and no other, so that a public key is never taken for a shared secret.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
_DIGESTS: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
SYMMETRIC: Final = frozenset(_DIGESTS)
RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
BY_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ASYMMETRIC: Final = RSA | frozenset(BY_CURVE.values()) | {"EdDSA"}
RSA_BITS: Final = range(2048, 8193)
"""Shorter keys are forged, longer ones cost whoever verifies (NIST SP 800-131A)."""

_LIBRARY: Final[dict[str, Algorithm]] = {
    name: each for name, each in get_default_algorithms().items() if name in SYMMETRIC | ASYMMETRIC
}
_THUMBPRINTED: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


@lru_cache(maxsize=64)
def _states(secret: bytes, digest: str) -> tuple[Any, Any]:
    """What HMAC begins with for each message under a key (RFC 2104 section 4): worked out once."""
    hashed = hashlib.new(digest)
    block = secret if len(secret) <= hashed.block_size else hashlib.new(digest, secret).digest()
    block = block.ljust(hashed.block_size, b"\0")
    return hashlib.new(digest, block.translate(_INNER)), hashlib.new(digest, block.translate(_OUTER))


def _mac(secret: bytes, digest: str, message: bytes) -> bytes:
    inner, outer = _states(secret, digest)
    inner, outer = inner.copy(), outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    mac: bytes = outer.digest()
    return mac


class UnusableKey(ValueError):  # noqa: N818 - what it is, not that it is an error
    """A key that signs and verifies nothing here; the message says why and never quotes the key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what it is good for. `private` is None where it only verifies."""

    kid: str | None
    algorithms: frozenset[str]
    public: Any = field(repr=False)  # the shared secret itself, for HS algorithms
    private: Any = field(default=None, repr=False, compare=False)

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether the signature is right; False for an algorithm that is not the key's."""
        if algorithm not in self.algorithms:
            return False
        if digest := _DIGESTS.get(algorithm):  # a quarter of the library's cost, for the most used kind
            return hmac.compare_digest(_mac(self.public, digest, signed), signature)
        return _LIBRARY[algorithm].verify(signed, self.public, signature)

    def sign(self, algorithm: str, signed: bytes) -> bytes:
        """The signature; the key must have a private half and be for that algorithm."""
        assert algorithm in self.algorithms
        assert self.private is not None
        return _LIBRARY[algorithm].sign(signed, self.private)

    def public_jwk(self) -> dict[str, Any] | None:
        """The key as anybody may see it (RFC 7517); None for a shared secret."""
        if self.algorithms <= SYMMETRIC:
            return None
        shown = {**_bare_jwk(self.public), "use": "sig", "kid": self.kid}
        if len(self.algorithms) == 1:
            shown["alg"] = next(iter(self.algorithms))
        return shown


def secret_key(secret: str | bytes, algorithm: str, *, kid: str | None = None) -> Key:
    """A shared secret, for exactly one HS algorithm. A PEM or JWK in its place is refused: somebody mixed them up."""
    if algorithm not in SYMMETRIC:
        raise UnusableKey(f"{algorithm} is no algorithm of a shared secret")
    try:
        prepared = _LIBRARY[algorithm].prepare_key(secret)
    except PyJWTError as error:
        raise UnusableKey("the shared secret is empty, or looks like another kind of key") from error
    return Key(kid, frozenset({algorithm}), prepared, prepared)


def private_key(pem: str | bytes, algorithm: str, *, kid: str | None = None) -> Key:
    """A private key in PEM (PKCS #8 and older forms), for exactly one algorithm; `kid` None: its thumbprint."""
    data = pem.encode() if isinstance(pem, str) else pem
    try:
        # Environment variables often hold the line ends as two characters.
        private: Any = load_pem_private_key(data.replace(b"\\n", b"\n"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey("is not an unencrypted private key in PEM") from error
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise UnusableKey("is a private key of a kind that signs no tokens")
    public = private.public_key()
    if algorithm not in _fitting(public):
        raise UnusableKey(f"is a private key that does not fit {algorithm}")
    return Key(kid or thumbprint(public), frozenset({algorithm}), public, private)


def key_of_jwk(jwk: Mapping[str, Any]) -> Key:
    """A public key of an issuer's set; raises UnusableKey for what is not there to verify signatures."""
    if jwk.get("use", "sig") != "sig" or not _may_verify(jwk.get("key_ops")):
        raise UnusableKey("is not there to verify signatures")
    kid, named = jwk.get("kid"), jwk.get("alg")
    if not isinstance(kid, str | None) or not isinstance(named, str | None):
        raise UnusableKey("has a kid or an alg that is no text")
    algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}.get(str(jwk.get("kty")))
    if algorithm is None:
        raise UnusableKey("is of a kind that is not used")
    # Of a private key that somebody published by mistake, the public half is enough.
    bare = {name: value for name, value in jwk.items() if name in ("kty", "crv", "n", "e", "x", "y")}
    try:
        public = type(_LIBRARY[algorithm]).from_jwk(bare)
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm) as error:
        raise UnusableKey("is malformed") from error
    fitting = _fitting(public)
    return Key(kid, fitting if named is None else fitting & {named}, public)


def thumbprint(public: Any) -> str:
    """A name for a public key that follows from the key itself (RFC 7638)."""
    jwk = _bare_jwk(public)
    members = {name: jwk[name] for name in _THUMBPRINTED[jwk["kty"]]}
    digest = hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _may_verify(operations: Any) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _fitting(public: Any) -> frozenset[str]:
    """The algorithms that a public key may be used with."""
    match public:
        case RSAPublicKey() if public.key_size in RSA_BITS:
            return RSA
        case EllipticCurvePublicKey() if public.curve.name in BY_CURVE:
            return frozenset({BY_CURVE[public.curve.name]})
        case Ed25519PublicKey():
            return frozenset({"EdDSA"})
    raise UnusableKey("has a size or a curve that is not used")


def _bare_jwk(public: Any) -> dict[str, Any]:
    algorithm = _LIBRARY[next(iter(_fitting(public)))]
    jwk: dict[str, Any] = type(algorithm).to_jwk(public, as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"}
