"""I: Tokens as the gateway issues them, more or less."""

import time
from typing import Final

import jwt

SECRET: Final = "a secret of the benchmarks, 48 characters or so."
_SCOPES: Final = "read write"


def token(user: int) -> str:
    """Signed with the secret, HS256."""
    return jwt.encode(claims(user), SECRET, "HS256")


def claims(user: int) -> dict[str, object]:
    """Good for an hour."""
    now = int(time.time())
    return {
        "iss": "torana",
        "sub": str(user),
        "name": f"user-{user}",
        "iat": now,
        "exp": now + 3600,
        "jti": f"{user:032x}",
        "token_type": "access",
        "scope": _SCOPES,
        "own_scopes": _SCOPES.split(),
        "roles": ["analyst"],
        "consumer": f"user-{user}",
        "kind": "user",
    }
