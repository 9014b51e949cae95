"""D: Signed-in sessions: opening and ending them, and the refresh tokens that each family has had.

A session is one family: a cookie, the refresh tokens that follow each other, and the access tokens made of them.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from authproxy import revocation, tickets
from authproxy.apikeys import pepper
from authproxy.models import RefreshToken, Session
from authproxy.telling import tell_on_commit
from routing.auditing import Deed, record

MOST_SESSIONS: Final = 100
"""Open sessions of one account; one more ends the oldest."""
REUSE: Final = "refresh token reused"
KEPT_AFTER_END: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """`cookie_text` is shown once: only its hash is kept."""

    session: Session
    cookie_text: str


@dataclass(frozen=True, slots=True)
class Reused:
    """The refresh token had been used before; its session has ended by that."""

    session: Session


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such refresh token, or no longer: it expired, or its session ended."""


def open(  # noqa: A001 - sessions.open reads well, and files are not this module's business
    user: User, *, address: str, user_agent: str, scopes: frozenset[str] | None = None
) -> OpenedSession:
    """A new session of the account. `scopes` is the ceiling that the client asked for."""
    ticket = tickets.mint(tickets.SESSION, pepper=pepper(), choice=secrets.choice)
    now = timezone.now()
    session = Session(
        user=user,
        digest=ticket.digest,
        scopes=None if scopes is None else " ".join(sorted(scopes)),
        address=address[:64],
        user_agent=user_agent.replace("\0", "")[:256],
        last_seen_at=now,
        expires_at=now + lifetime(),
    )
    with transaction.atomic():
        session.save(force_insert=True)
        for oldest in live(user).order_by("-created_at")[MOST_SESSIONS : MOST_SESSIONS + 10]:
            end(oldest, reason="too many", by=user.get_username())
    return OpenedSession(session, ticket.text)


def end(session: Session, *, reason: str, by: str) -> bool:
    """Ends a session with all its tokens, everywhere within a second; False if it had ended before.

    `by` names who does it.
    """
    return bool(_end(Session.objects.filter(pk=session.pk), reason, by))


def end_all(user: User, *, reason: str, by: str, keep: UUID | None = None) -> int:
    """Ends every session of the account but `keep`; how many there were."""
    found = Session.objects.filter(user=user)
    return _end(found if keep is None else found.exclude(pk=keep), reason, by)


def live(user: User | None = None) -> QuerySet[Session]:
    """Sessions that have neither ended nor expired, of the account or of all, newest first."""
    found = Session.objects.filter(ended_at=None, expires_at__gt=timezone.now())
    return found if user is None else found.filter(user=user)


def remember_refresh(session: Session, jti: str, expires_at: datetime) -> None:
    """Notes a refresh token that was issued; the session lives at least as long."""
    with transaction.atomic():
        RefreshToken.objects.create(session=session, digest=digest_of(jti), expires_at=expires_at)
        Session.objects.filter(pk=session.pk, expires_at__lt=expires_at).update(expires_at=expires_at)


def use_refresh(jti: str) -> Session | Reused | Unknown:
    """Uses up a refresh token. Of two who bring the same one, exactly one gets the session, and the other ends it.

    Call it in the transaction in which the new tokens are made, so that an end of the session comes either before
    them, and is seen, or after them, and ends them, too. That transaction must be committed whatever the answer is.
    """
    digest, now = digest_of(jti), timezone.now()
    with transaction.atomic():
        fresh = RefreshToken.objects.filter(digest=digest, used_at=None, expires_at__gt=now)
        is_first = fresh.update(used_at=now)
        sessions = Session.objects.filter(refresh_tokens__digest=digest, refresh_tokens__expires_at__gt=now)
        if is_first:  # only then: who holds a row's lock must not wait for the order of changes
            sessions = sessions.select_for_update(of=("self",), no_key=True)
        session = sessions.filter(ended_at=None).select_related("user").first()
        if session is None:
            return Unknown()
        if not is_first:
            _end_reused(session)
            return Reused(session)
        Session.objects.filter(pk=session.pk).update(last_seen_at=now)
        return session


def find_refresh(jti: str) -> Session | None:
    """The open session of a refresh token that is still good, without using it up."""
    token = RefreshToken.objects.filter(digest=digest_of(jti), used_at=None).select_related("session").first()
    if token is None or token.session.ended_at is not None or token.expires_at <= timezone.now():
        return None
    return token.session


def prune(now: datetime) -> int:
    """Drops some of what ended or expired long ago, and refresh tokens that have expired; how many rows."""
    long_ago, most = now - KEPT_AFTER_END, revocation.PRUNED_AT_ONCE
    tokens = RefreshToken.objects.filter(expires_at__lt=now).values("pk")[:most]
    ended = Session.objects.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago)).values("pk")[:most]
    dropped, _ = RefreshToken.objects.filter(pk__in=tokens).delete()
    return dropped + Session.objects.filter(pk__in=ended).delete()[0]


def lifetime() -> timedelta:
    """How long a session lives that is never refreshed, and a refresh token."""
    return timedelta(days=settings.CONFIG.refresh_token_expire_days)


def digest_of(jti: str) -> bytes:
    """What is kept of a refresh token."""
    return hmac.digest(pepper(), b"refresh " + jti.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _end_reused(session: Session) -> None:
    end(session, reason=REUSE, by="")
    name, pk = session.user.get_username(), str(session.pk)
    tell_on_commit("token_reuse", subject=name, address=session.address, session=pk)


def _end(sessions: QuerySet[Session], reason: str, by: str) -> int:
    with transaction.atomic():
        revocation.hold_order()
        found = list(sessions.filter(ended_at=None).select_for_update(of=("self",)).select_related("user"))
        pks = [session.pk for session in found]
        Session.objects.filter(pk__in=pks).update(ended_at=timezone.now(), end_reason=reason[:32])
        revocation.record(*map(revocation.session, pks), reason=reason)
        for session in found:
            name = session.user.get_username()
            tell_on_commit("session_ended", actor=by, subject=name, session=str(session.pk), reason=reason)
        _note(found, reason, by)
    return len(found)


def _note(found: list[Session], reason: str, by: str) -> None:
    """For the audit trail, unless somebody only signs out: what callers do with their own sessions is not in it."""
    names = {session.user.get_username() for session in found}
    if found and by not in names:
        about = [("session", str(session.pk)) for session in found]
        about += [("account", name) for name in sorted(names)]
        record(Deed("session.end", tuple(about), by or "system", reason))
