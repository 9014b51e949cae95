"""D: What admission would make of a request by an account or a consumer, for `explain`. Nobody is signed in."""

from dataclasses import replace
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User

from authproxy.admissions import admission_of
from authproxy.granting import (
    Standing,
    accounts_with_rights,
    consumer_row,
    consumers_with_rights,
    identity_of,
)
from authproxy.identity import Identity, Method
from authproxy.liveroles import LiveRoles
from authproxy.models import Consumer
from authproxy.problems import Reason
from routing.callers import UnknownCaller
from routing.problems import quote
from routing.snapshot import Auth, CompiledRoute, Snapshot
from routing.standing import Admission, Judge

Rows = tuple[User | None, Consumer | None]


def judge_of(name: str | None) -> Judge:
    """The port that `routing.callers` wants. Raises UnknownCaller."""
    return partial(_admission, rows=(None, None) if name is None else _rows(name))


def caller_of(name: str, snapshot: Snapshot) -> tuple[Identity, frozenset[str]]:
    """Who acts on topics, and with which scopes. Raises UnknownCaller."""
    standing = _standing(_rows(name), snapshot)
    if not standing.is_enabled:
        raise UnknownCaller(f"{quote(name)} is disabled, and may do nothing")
    identity = identity_of(standing, method="jwt")
    return identity, identity.scopes(snapshot.roles)


def _standing(rows: Rows, snapshot: Snapshot) -> Standing:
    """With the roles of the snapshot that is explained, which may be a draft."""
    granted = LiveRoles(snapshot.roles, snapshot.default_roles, frozenset(snapshot.plans))
    return Standing.build(*rows, granted=granted, seq=0)


def _rows(name: str) -> Rows:
    user = accounts_with_rights().filter(username=name).first()
    if user is not None:
        return user, consumer_row(user)
    consumer = consumers_with_rights().filter(name=name).first()
    if consumer is None:
        raise UnknownCaller(f"there is no account or consumer named {quote(name)}")
    return consumer.user, consumer


def _admission(route: CompiledRoute, snapshot: Snapshot, *, rows: Rows) -> Admission:
    if not any(rows):
        return _judged(route, snapshot, None, "missing")
    standing = _standing(rows, snapshot)
    if not standing.is_enabled:
        found = _judged(route, snapshot, None, "invalid")
        return replace(found, caller={"consumer": standing.name, "enabled": False})
    return _judged(route, snapshot, _identity(standing, route.auth), "missing")


def _judged(route: CompiledRoute, snapshot: Snapshot, identity: Identity | None, reason: Reason) -> Admission:
    is_on, realm = settings.CONFIG.enable_authentication, settings.CONFIG.service_name
    return admission_of(route, snapshot, identity, reason, is_on=is_on, realm=realm)


def _identity(standing: Standing, auth: Auth) -> Identity | None:
    """By the first way in that the route offers and this caller can have: only accounts have sessions."""
    ways: tuple[Method, ...] = ("jwt", "api_key") if standing.user is None else ("jwt", "api_key", "session")
    method = next((method for method in auth.methods if method in ways), None)
    return identity_of(standing, method=method) if method is not None else None
