"""P: The gateway's own keys: which ones verify its tokens, and which one signs now."""

from collections.abc import Mapping
from typing import Any, Final

from authproxy import jws, signatures
from authproxy.jws import Malformed
from authproxy.signatures import SYMMETRIC, Key
from authproxy.tokens import is_signed_by

_NONE: Final[tuple[Key, ...]] = ()


class KeyRing:
    """Keys of the gateway, each for one algorithm. Immutable: another set of keys is another ring."""

    __slots__ = ("_by_algorithm", "_by_name", "_signing_algorithm", "keys", "signing")

    def __init__(self, keys: tuple[Key, ...], signing: Key | None) -> None:
        """`keys` verify, the signing key among them; `signing` None: this gateway issues nothing at the moment."""
        assert signing is None or signing in keys
        self.keys = keys
        self.signing = signing
        self._by_name: dict[tuple[str, str], tuple[Key, ...]] = {}
        self._by_algorithm: dict[str, tuple[Key, ...]] = {}
        for key in keys:
            (algorithm,) = key.algorithms
            self._by_algorithm[algorithm] = (*self._by_algorithm.get(algorithm, ()), key)
            if key.kid is not None:
                name = (algorithm, key.kid)
                self._by_name[name] = (*self._by_name.get(name, ()), key)
        self._signing_algorithm = next(iter(signing.algorithms)) if signing else ""

    @classmethod
    def fixed(cls, secret: str, algorithm: str) -> "KeyRing":
        """The ring of JWT_SECRET: a shared secret, or a private key in PEM. Raises UnusableKey."""
        if algorithm in SYMMETRIC:
            key = signatures.secret_key(secret, algorithm)
        else:
            key = signatures.private_key(secret, algorithm)
        return cls((key,), key)

    def find(self, algorithm: str, kid: str | None) -> tuple[Key, ...]:
        """The keys that may have signed a token: that of its name, or all of its algorithm if it names none."""
        if kid is None:
            return self._by_algorithm.get(algorithm, _NONE)
        return self._by_name.get((algorithm, kid), _NONE)

    def read(self, token: bytes) -> dict[str, Any] | None:
        """The claims of a token that one of these keys signed, whatever they say and however old; else None."""
        try:
            parsed = jws.parse(token)
        except Malformed:
            return None
        return parsed.claims if is_signed_by(parsed, self.find(*parsed.header)) else None

    def sign(self, claims: Mapping[str, Any], *, typ: str = "JWT") -> str:
        """A signed token in compact form."""
        return self.sign_bytes(claims, typ=typ).decode("ascii")

    def sign_bytes(self, claims: Mapping[str, Any], *, typ: str = "JWT") -> bytes:
        """A signed token in compact form, as it travels."""
        key = self.signing
        assert key is not None
        header = {"alg": self._signing_algorithm, "typ": typ}
        if key.kid is not None:
            header["kid"] = key.kid
        signed = jws.compose(header, claims)
        return signed + b"." + jws.base64url(key.sign(self._signing_algorithm, signed))

    def public_jwks(self) -> dict[str, Any]:
        """What `/.well-known/jwks.json` shows (RFC 7517): no secrets, so nothing for HS algorithms."""
        return {"keys": [jwk for key in self.keys if (jwk := key.public_jwk()) is not None]}

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self.keys)}, signs by {self._signing_algorithm or 'nothing'}>"
