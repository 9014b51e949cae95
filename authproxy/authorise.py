"""P: May this caller use this route? Levels, roles and scopes, and the refusals that say what is missing."""

from typing import Any

from authproxy import problems
from authproxy.grants import Roles
from authproxy.identity import Identity
from authproxy.problems import Reason
from authproxy.rejections import Rejection
from routing.snapshot import Auth


def judge(
    auth: Auth, identity: Identity | None, roles: Roles, *, reason: Reason = "missing", realm: str = "torana"
) -> Rejection | None:
    """None: it may. Without an identity the refusal tells `reason`, and how to authenticate under `realm`.

    A refusal names what this caller lacks, never what anybody else has.
    """
    if auth.level == "public":
        return None
    if identity is None:
        return problems.unauthenticated(reason, methods=auth.methods, realm=realm)
    if (
        (auth.level == "user" or _has_level(auth, identity))
        and (not auth.scopes or auth.scopes <= identity.scopes(roles))
        and (not auth.roles or not auth.roles.isdisjoint(identity.roles))
    ):
        return None
    return problems.forbidden(_lacking(auth, identity, roles))


def _has_level(auth: Auth, identity: Identity) -> bool:
    return identity.is_staff if auth.level == "admin" else identity.kind == "service"


def _lacking(auth: Auth, identity: Identity, roles: Roles) -> dict[str, Any]:
    """All of it at once, so that nobody has to find out one by one."""
    lacking: dict[str, Any] = {}
    if auth.level != "user" and not _has_level(auth, identity):
        lacking["level"] = auth.level
    if missing := auth.scopes - identity.scopes(roles):
        lacking["missing_scopes"] = sorted(missing)
    if auth.roles and auth.roles.isdisjoint(identity.roles):
        lacking["roles"] = sorted(auth.roles)
    return lacking
