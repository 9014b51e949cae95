"""D: The roles of the live revision, for those who have no snapshot: endpoints, admin, commands."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from routing.document.interpolation import fill
from routing.models import Revision


@dataclass(frozen=True, slots=True)
class LiveRoles:
    """The same object for as long as the same revision is live."""

    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    default: frozenset[str] = frozenset()
    """The roles that every registered account has."""
    plans: frozenset[str] = frozenset()


_lock = Lock()
_kept: dict[str, LiveRoles] = {"": LiveRoles()}


def live_roles() -> LiveRoles:
    """One small query, unless another revision is live than at the last call."""
    digest = Revision.objects.order_by("-number").values_list("digest", flat=True).first() or ""
    known = _kept.get(digest)
    if known is not None:
        return known
    text = Revision.objects.filter(digest=digest).values_list("document", flat=True).first()
    roles = roles_of(orjson.loads(text)) if text else LiveRoles()
    with _lock:
        _kept.clear()
        _kept.update({"": LiveRoles(), digest: roles})
    return roles


def roles_of(document: Mapping[str, Any]) -> LiveRoles:
    """What a document says about roles, with the environment filled in."""
    parts = {key: document.get(key) or [] for key in ("roles", "plans")}
    filled = fill(parts, os.environ).value
    return LiveRoles(
        {role["name"]: frozenset(role.get("scopes") or ()) for role in filled["roles"]},
        frozenset(role["name"] for role in filled["roles"] if role.get("default")),
        frozenset(plan["name"] for plan in filled["plans"]),
    )
