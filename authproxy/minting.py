"""P: Short-lived tokens that tell an upstream who calls (`forward_identity: token`)."""

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from authproxy.grants import Roles
from authproxy.identity import Identity
from authproxy.keyring import KeyRing

LIFETIME_S: Final = 60.0
_REUSED_S: Final = 30.0
"""A minted token is sent again for half its life, so that it never arrives expired."""
TOKEN_TYPE: Final = "identity"  # noqa: S105 - a kind of token; the gateway itself never accepts it


class _Minted(NamedTuple):
    until: float
    roles: Roles
    keyring: KeyRing
    token: bytes


class Mint:
    """Makes identity tokens and keeps the latest one of each caller and service, up to `limit` of them."""

    def __init__(self, *, issuer: str, limit: int = 8_192) -> None:
        self._issuer = issuer
        self._limit = limit
        self._minted: OrderedDict[tuple[Identity, str], _Minted] = OrderedDict()

    def mint(
        self, identity: Identity, roles: Roles, service: str, *, keyring: KeyRing, now: float
    ) -> bytes | None:
        """A token for `service`, ready to be sent. `now` is in epoch seconds; None while no key signs."""
        name = (identity, service)
        known = self._minted.get(name)
        if known is not None and now < known.until and known.roles is roles and known.keyring is keyring:
            return known.token
        if keyring.signing is None:
            return None
        expires_at = min(now + LIFETIME_S, identity.expires_at)
        token = keyring.sign_bytes(self._claims(identity, roles, service, int(now), int(expires_at)))
        self._minted[name] = _Minted(min(now + _REUSED_S, expires_at), roles, keyring, token)
        self._minted.move_to_end(name)
        if len(self._minted) > self._limit:
            self._minted.popitem(last=False)
        return token

    def _claims(
        self, identity: Identity, roles: Roles, service: str, issued_at: int, expires_at: int
    ) -> dict[str, Any]:
        claims = {
            "iss": self._issuer,
            "sub": identity.user_id or f"consumer:{identity.consumer}",
            "aud": service,
            "iat": issued_at,
            "exp": expires_at,
            "token_type": TOKEN_TYPE,
            "name": identity.name,
            "consumer": identity.consumer,
            "kind": identity.kind,
            "roles": sorted(identity.roles),
            "scope": " ".join(sorted(identity.scopes(roles))),
            "auth_method": identity.method,
            "plan": identity.plan,
            "provider": identity.provider,
        }
        return {name: value for name, value in claims.items() if value != ""}
