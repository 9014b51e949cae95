"""D: From rows to what somebody may do: the standing of an account or a consumer, and identities of it.

Whoever builds an identity reads the number of the newest change first and the account after it. Then a change that
comes between is told by a greater number, and the identity is stale from its beginning, never wrong for long.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from django.contrib.auth.models import User
from django.db.models import QuerySet

from authproxy import revocation
from authproxy.identity import Identity, Kind, Method
from authproxy.liveroles import LiveRoles, live_roles
from authproxy.models import ApiKey, Consumer, Session

KEY_RELATED = ("consumer__user",)
KEY_PREFETCHED = ("consumer__roles", "consumer__user__groups")
SESSION_RELATED = ("user__consumer",)
SESSION_PREFETCHED = ("user__groups", "user__consumer__roles")


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account or a consumer may do now."""

    user: User | None
    consumer: Consumer | None
    name: str
    kind: Kind
    roles: frozenset[str]
    own_scopes: frozenset[str]
    """Those given to it itself; `scopes` are these and what the roles bring."""
    scopes: frozenset[str]
    plan: str
    is_staff: bool
    is_enabled: bool
    """Whether it may pass at all: the account is active, and the consumer is enabled."""
    seq: int
    """The newest change that this reflects."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it rests on, for `authproxy.changes`."""
        found = []
        if self.user is not None:
            found += [revocation.user(self.user.pk), revocation.DEFAULT_ROLES]
        if self.consumer is not None:
            found.append(revocation.consumer(self.consumer.pk))
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """The account, as the endpoints show it."""
        assert self.user is not None
        return {
            "id": self.user.pk,
            "username": self.user.username,
            "email": self.user.email,
            "roles": sorted(self.roles),
            "scopes": sorted(self.scopes),
        }

    @classmethod
    def build(cls, user: User | None, consumer: Consumer | None, *, granted: LiveRoles, seq: int) -> Self:
        """From rows that are at hand; give at least one of them."""
        roles = _names(user.groups) | granted.default if user is not None else frozenset()
        if consumer is not None:
            roles |= _names(consumer.roles)
        own = frozenset((consumer.scopes if consumer is not None else None) or ())
        return cls(
            user=user,
            consumer=consumer,
            name=user.username if user is not None else consumer.name if consumer is not None else "",
            kind="service" if consumer is not None and consumer.kind == "service" else "user",
            roles=roles,
            own_scopes=own,
            scopes=own.union(*(granted.scopes.get(role, ()) for role in roles)),
            plan=consumer.plan if consumer is not None else "",
            is_staff=user is not None and user.is_staff,
            is_enabled=(user is None or user.is_active) and (consumer is None or consumer.enabled),
            seq=seq,
        )


def accounts_with_rights() -> QuerySet[User]:
    """Accounts with what `Standing.build` reads of them."""
    return User.objects.select_related("consumer").prefetch_related("groups", "consumer__roles")


def consumers_with_rights() -> QuerySet[Consumer]:
    """Consumers likewise."""
    return Consumer.objects.select_related("user").prefetch_related("roles", "user__groups")


def standing(user: User) -> Standing | None:
    """What the account may do, read anew; None if it is gone."""
    seq = revocation.newest()
    fresh = accounts_with_rights().filter(pk=user.pk).first()
    if fresh is None:
        return None
    return Standing.build(fresh, consumer_row(fresh), granted=live_roles(), seq=seq)


def standing_of_consumer(consumer: Consumer) -> Standing | None:
    """What the consumer may do, read anew; None if it is gone. An account's consumer has the account's rights, too."""
    seq = revocation.newest()
    fresh = consumers_with_rights().filter(pk=consumer.pk).first()
    if fresh is None:
        return None
    return Standing.build(fresh.user, fresh, granted=live_roles(), seq=seq)


def consumer_row(user: User) -> Consumer | None:
    """The consumer that the account is, if it has been needed."""
    found: Consumer | None = getattr(user, "consumer", None)
    return found


def identity_of(
    standing: Standing,
    *,
    method: Method,
    subjects: Iterable[str] = (),
    ceiling: frozenset[str] | None = None,
    session: str = "",
    key_id: int = 0,
    issued_at: float = 0.0,
    expires_at: float = float("inf"),
) -> Identity:
    """An identity of this standing; `subjects` are what it rests on beside."""
    return Identity(
        method=method,
        kind=standing.kind,
        user_id=str(standing.user.pk) if standing.user is not None else "",
        name=standing.name,
        consumer=standing.name,
        plan=standing.plan,
        roles=_shared(standing.roles),
        direct=_shared(standing.own_scopes),
        ceiling=None if ceiling is None else _shared(ceiling),
        is_staff=standing.is_staff,
        session=session,
        key_id=key_id,
        issued_at=issued_at,
        expires_at=expires_at,
        subjects=(*standing.subjects, *subjects),
        seq=standing.seq,
    )


def identity_of_key(key: ApiKey, *, granted: LiveRoles, seq: int) -> Identity | None:
    """The identity for which a key stands, from rows that are at hand; None if they may not pass.

    `seq` was read before the rows. Whether the key has expired is the caller's to ask.
    """
    found = Standing.build(key.consumer.user, key.consumer, granted=granted, seq=seq)
    if key.revoked_at is not None or not found.is_enabled:
        return None
    return identity_of(
        found,
        method="api_key",
        subjects=(revocation.key(key.pk),),
        ceiling=frozenset(key.scopes) if key.scopes is not None else None,
        key_id=key.pk,
        issued_at=key.created_at.timestamp(),
        expires_at=key.expires_at.timestamp() if key.expires_at is not None else float("inf"),
    )


def identity_of_session(session: Session, *, granted: LiveRoles, seq: int) -> Identity | None:
    """The same for the cookie of a session."""
    user = session.user
    found = Standing.build(user, consumer_row(user), granted=granted, seq=seq)
    if session.ended_at is not None or not found.is_enabled:
        return None
    return identity_of(
        found,
        method="session",
        subjects=(revocation.session(session.pk),),
        ceiling=frozenset(session.scopes.split()) if session.scopes is not None else None,
        session=str(session.pk),
        issued_at=session.created_at.timestamp(),
        expires_at=session.expires_at.timestamp(),
    )


@lru_cache(maxsize=4096)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """The same object for the same words: a hundred thousand keys have a handful of sets."""
    return words


def _names(groups: Any) -> frozenset[str]:
    return frozenset(group.name for group in groups.all())
