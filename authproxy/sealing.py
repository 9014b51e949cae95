"""I: Making keys for tokens, and sealing them for keeping."""

import base64
import hashlib
import hmac
import logging
import secrets
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authproxy.keyschedule import KeptKey
from routing.lastgood import replace

FILE_NAME: Final = "signing-keys"
_RSA_BITS: Final = 2048
_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
_log = logging.getLogger(__name__)


def new_kid() -> str:
    """A name for a key, which says nothing about it."""
    return secrets.token_hex(8)


def new_material(algorithm: str) -> bytes:
    """A key for one of the algorithms of JWT_ALGORITHM: a secret, or a private key as PEM."""
    if algorithm.startswith("HS"):
        return secrets.token_hex(64).encode()
    key: Any
    if algorithm.startswith("RS"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = ec.generate_private_key(_CURVES[algorithm])
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


class Sealer:
    """Encrypts under a key of its own for each purpose, derived from SECRET_KEY."""

    __slots__ = ("_fernet",)

    def __init__(self, secret_key: str, *, purpose: str = "signing keys") -> None:
        key = hmac.digest(secret_key.encode(), f"torana {purpose}\x01".encode(), hashlib.sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes | None:
        """None for what was sealed under another SECRET_KEY, or never."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None


class KeyFile:
    """The keys as last known, sealed, for a worker that starts without a database."""

    __slots__ = ("_sealer", "path")

    def __init__(self, var_dir: Path, sealer: Sealer) -> None:
        self.path = var_dir / FILE_NAME
        self._sealer = sealer

    def save(self, keys: tuple[KeptKey, ...]) -> None:
        """Writes only what changed, in one step. What cannot be written is logged: it matters at the next outage."""
        if keys == self.load():
            return
        plain = orjson.dumps(
            [[key.kid, key.algorithm, key.material.hex(), key.activates_at, key.retires_at] for key in keys]
        )
        try:
            replace(self.path, self._sealer.seal(plain))
        except OSError as error:
            _log.warning("%s was not written: %s", self.path, error.strerror or error)

    def load(self) -> tuple[KeptKey, ...]:
        """Nothing if there is no file, or none that can be opened."""
        try:
            sealed = self.path.read_bytes()
        except OSError:
            return ()
        plain = self._sealer.unseal(sealed)
        if plain is None:
            _log.warning("%s is not used: it is torn, or sealed under another SECRET_KEY", self.path)
            return ()
        return tuple(
            KeptKey.read(kid, algorithm, bytes.fromhex(material), activates_at, retires_at)
            for kid, algorithm, material, activates_at, retires_at in orjson.loads(plain)
        )
