"""D: Issuing tokens, by SimpleJWT, signed with the gateway's own keys; and reading refresh tokens back.

What a token says of its bearer is what held when it was issued, with the number of the newest change that this
reflects (`seq`): any later change of the account, the consumer or the session ends it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from authproxy import oauth, sessions, signingkeys
from authproxy.granting import Standing
from authproxy.models import ApiKey, Session

PAGE_S: Final = 120
"""How long a page's token is good; the page renews it."""
_NO_LEEWAY: Final = timedelta(0)


class _KeyRingBackend:
    """What SimpleJWT signs and reads with: this process's keys, and their strict reader."""

    def encode(self, payload: Mapping[str, Any]) -> str:
        return signingkeys.shared().ring_to_sign().sign(payload)

    def decode(self, token: str, verify: bool = True) -> dict[str, Any]:
        assert verify
        claims = signingkeys.shared().ring_to_sign().read(token.encode("utf-8", "replace"))
        if claims is None or claims.get("iss") != settings.CONFIG.service_name:
            raise TokenBackendError("not ours")
        return claims

    def get_leeway(self) -> timedelta:
        return _NO_LEEWAY


_BACKEND: Final[Any] = _KeyRingBackend()


class Access(AccessToken):
    """Lets its bearer in, for minutes."""

    _token_backend = _BACKEND


class Refresh(RefreshToken):
    """Gets the next pair, once."""

    _token_backend = _BACKEND
    access_token_class = Access


@dataclass(frozen=True, slots=True)
class Issued:
    """`access` and `refresh` are in compact form; programs that sign in with a key get no refresh token."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in: int
    """Seconds."""
    scopes: frozenset[str]


def for_session(session: Session, standing: Standing, *, wanted: frozenset[str] | None = None) -> Issued:
    """The next pair of tokens of a session. Call it in the transaction that opened the session or used a token up.

    `wanted` narrows the access token, and not the session; raises OAuthRefused for a scope that there is not.
    """
    assert standing.user is not None
    scopes = standing.scopes
    if session.scopes is not None:
        scopes &= frozenset(session.scopes.split())
    scopes = oauth.narrowed(wanted, scopes)
    refresh = Refresh()
    refresh.set_exp(lifetime=sessions.lifetime())
    expires_at = refresh.current_time + sessions.lifetime()
    refresh.payload |= {
        "iss": settings.CONFIG.service_name,
        "sub": str(standing.user.pk),
        "sid": str(session.pk),
    }
    sessions.remember_refresh(session, refresh["jti"], expires_at)
    subject, sid = str(standing.user.pk), str(session.pk)
    access, seconds = _access(standing, subject=subject, sid=sid, scopes=scopes, until=expires_at)
    return Issued(access, str(refresh), seconds, scopes)


def for_key(key: ApiKey, standing: Standing, scopes: frozenset[str]) -> Issued:
    """An access token for a service, which ends with its key; `sid` names no session, and lets it be logged out."""
    access, seconds = _access(
        standing,
        subject=f"consumer:{standing.name}",
        sid=str(uuid4()),
        scopes=scopes,
        until=key.expires_at or datetime.max.replace(tzinfo=timezone.get_default_timezone()),
        more={"key": key.pk},
    )
    return Issued(access, "", seconds, scopes)


def for_page(standing: Standing) -> str:
    """An access token for a page of admin, whose staff member is signed in there: short-lived, without scopes."""
    assert standing.user is not None
    until = timezone.now() + timedelta(seconds=PAGE_S)
    return _access(
        standing, subject=str(standing.user.pk), sid=str(uuid4()), scopes=frozenset(), until=until
    )[0]


def read_refresh(token: str) -> str | None:
    """The `jti` of a refresh token of ours that has not expired; None for anything else."""
    try:
        jti = Refresh(token)["jti"]  # type: ignore[arg-type] # SimpleJWT means a string
    except (TokenError, ValueError, TypeError, OverflowError, OSError):
        return None
    return jti if isinstance(jti, str) else None


def _access(
    standing: Standing,
    *,
    subject: str,
    sid: str,
    scopes: frozenset[str],
    until: datetime,
    more: Mapping[str, Any] | None = None,
) -> tuple[str, int]:
    token = Access()
    lifetime = timedelta(minutes=settings.CONFIG.access_token_expire_minutes)
    lifetime = min(lifetime, until - token.current_time)
    token.set_exp(lifetime=lifetime)
    consumer = standing.consumer
    token.payload |= {
        "iss": settings.CONFIG.service_name,
        "sub": subject,
        "nbf": token["iat"],
        "name": standing.name,
        "roles": sorted(standing.roles),
        "scope": " ".join(sorted(scopes)),
        "own_scopes": sorted(standing.own_scopes),
        "consumer": standing.name,
        "kind": standing.kind,
        "plan": standing.plan,
        "staff": standing.is_staff,
        "sid": sid,
        "seq": standing.seq,
        **({"cid": consumer.pk} if consumer is not None else {}),
        **(more or {}),
    }
    return str(token), max(0, int(lifetime.total_seconds()))
