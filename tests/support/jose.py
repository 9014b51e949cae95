"""P: Keys and tokens as others make them: by PyJWT, or segment by segment where no library would."""

import json
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import get_default_algorithms

from routing.snapshot import CompiledProvider

NOW = 1_800_000_000.0
SECRET = "a shared secret that is long enough for every hash function that is used here, SHA-512 too"
ISSUER = "torana"
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@cache
def private(algorithm: str, name: str = "") -> Any:
    """A private key for an algorithm, the same one for the same name."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def pem(key: Any) -> str:
    """A private key as JWT_SECRET holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwk(algorithm: str, name: str = "", **members: Any) -> dict[str, Any]:
    """The public half of `private`, as a provider publishes it; a member of None is left out."""
    shown = get_default_algorithms()[algorithm].to_jwk(private(algorithm, name).public_key(), as_dict=True)
    shown.pop("key_ops", None)
    named = {"kid": name, "use": "sig", "alg": algorithm, **members}
    return {**shown, **{key: value for key, value in named.items() if value is not None}}


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def claims(**members: Any) -> dict[str, Any]:
    """The least that the gateway accepts; a member of None is left out."""
    named = {"sub": "7", "exp": int(NOW) + 600, **members}
    return {name: value for name, value in named.items() if value is not None}


def token(
    said: dict[str, Any] | None = None, *, key: Any = SECRET, algorithm: str = "HS256", **header: Any
) -> bytes:
    """A token as PyJWT makes it."""
    return jwt.encode(claims() if said is None else said, key, algorithm, headers=header).encode()


def segment(content: bytes | str | dict[str, Any]) -> bytes:
    """Base64url of anything."""
    if isinstance(content, dict):
        content = json.dumps(content)
    return urlsafe_b64encode(content.encode() if isinstance(content, str) else content).rstrip(b"=")


def signed(header: bytes | str | dict[str, Any], body: bytes | str | dict[str, Any]) -> bytes:
    """A token of just these segments, with a right HS256 signature of SECRET."""
    content = segment(header) + b"." + segment(body)
    return content + b"." + segment(get_default_algorithms()["HS256"].sign(content, SECRET.encode()))


def provider(**fields: Any) -> CompiledProvider:
    """An identity provider that publishes its keys."""
    plain: dict[str, Any] = {
        "name": "idp",
        "issuers": frozenset({"https://idp.test"}),
        "audiences": frozenset(),
        "jwks_url": "https://idp.test/keys",
        "discovery_url": None,
        "secret": None,
        "cookie": None,
        "algorithms": frozenset({"RS256"}),
    }
    return CompiledProvider(**{**plain, **fields})
