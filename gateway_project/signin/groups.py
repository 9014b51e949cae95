"""D: Ready groups: what viewers, operators, editors, publishers and security admins may do in admin.

A migration makes the groups that are missing, and gives all of them their part of what is new. What somebody has
taken from a group, or added to it, stays so.
"""

from collections.abc import Iterable
from typing import Any, Final

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

VIEWER, OPERATOR, EDITOR = "viewer", "operator", "editor"
PUBLISHER, SECURITY_ADMIN = "publisher", "security admin"
_CONFIGURATION: Final = (
    "service",
    "target",
    "route",
    "routebackend",
    "routedefaults",
    "quota",
    "plan",
)
_ACCESS_CONFIGURATION: Final = ("rolescopes", "identityprovider", "owner", "topicrule")
"""Topic rules say who hears of security events, too."""
_REQUESTS: Final = ("keptrequest", "wouldrefuse")
_SEEN: Final = (*_CONFIGURATION, *_ACCESS_CONFIGURATION, "revision", "pendingchange", "schedule", "node")


def _named(app: str, codenames: Iterable[str]) -> Q:
    return Q(content_type__app_label=app, codename__in=list(codenames))


def _all_of(*models: str) -> list[str]:
    return [f"{verb}_{model}" for model in models for verb in ("view", "add", "change", "delete")]


_VIEW: Final = (
    _named("routing", [f"view_{model}" for model in _SEEN])
    | Q(content_type__app_label="authproxy", codename__startswith="view_")
    | _named("observability", [f"view_{model}" for model in _REQUESTS])
    | _named("auth", ["view_user", "view_group"])
    | _named("observability", ["view_alertreceiver"])
    | _named("observability", ["view_auditevent"])
)
RIGHTS: Final[dict[str, Q]] = {
    VIEWER: _VIEW,
    OPERATOR: _VIEW | _named("routing", ["operate"]) | _named("observability", _all_of("alertreceiver")),
    EDITOR: _VIEW | _named("routing", [*_all_of(*_CONFIGURATION), "add_schedule"]),
    PUBLISHER: _VIEW | _named("routing", ["publish"]),
    SECURITY_ADMIN: _VIEW
    | _named("routing", _all_of(*_ACCESS_CONFIGURATION))
    | Q(content_type__app_label="authproxy")
    | _named("auth", _all_of("user", "group"))
    | _named("mfa", ["delete_authenticator"]),  # for those who have lost theirs
}
_newest_before: dict[str, int] = {}


def remember(sender: AppConfig, using: str, **_: Any) -> None:
    """Before a migration: which permissions there are already."""
    from django.db import connections

    if _is_last(sender):
        tables = connections[using].introspection.table_names()
        rows = Permission.objects.using(using).order_by("-pk").values_list("pk", flat=True)
        known = rows.first() if Permission._meta.db_table in tables else None
        _newest_before[using] = known or 0


def provide(sender: AppConfig, using: str, **_: Any) -> None:
    """After a migration: the groups, with their rights to what it brought."""
    if not _is_last(sender):
        return
    newest = _newest_before.pop(using, None)
    for name, rights in RIGHTS.items():
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        wanted: QuerySet[Permission] = Permission.objects.using(using).filter(rights)
        if not is_new:
            wanted = wanted.filter(pk__gt=newest) if newest is not None else wanted.none()
        group.permissions.add(*wanted)


def _is_last(sender: AppConfig) -> bool:
    """Applications with models have their turn one by one; after the last, all permissions are there."""
    return sender is [each for each in apps.get_app_configs() if each.models_module is not None][-1]
