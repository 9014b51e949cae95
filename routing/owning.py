"""D: What somebody owns: rows that one may see and change without the right to change all of their kind.

An owner changes what is there. To add and to delete takes an editor: a new route can take requests from others.
"""

from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from routing.models import Owner, Route, Service


def owned(user: Any, model: type[models.Model]) -> QuerySet[Any]:
    """The rows of a kind that an account owns, itself or through a group."""
    rows = model._default_manager
    if model not in (Service, Route) or not user.is_active:
        return rows.none()
    grants = Owner.objects.filter(Q(user=user.pk) | Q(group__in=user.groups.values("pk")))
    services = grants.filter(service__isnull=False).values("service")
    if model is Service:
        return rows.filter(pk__in=services)
    return rows.filter(Q(pk__in=grants.filter(route__isnull=False).values("route")) | Q(service__in=services))


def owns(user: Any, model: type[models.Model], key: Any = None) -> bool:
    """Whether an account owns the row with this key, or without one, any of the kind."""
    rows = owned(user, model).order_by()
    try:
        return rows.exists() if key is None else rows.filter(pk=key).exists()
    except (TypeError, ValueError):
        return False  # no key at all


def may_lead_to(user: Any, route: Any) -> QuerySet[Service]:
    """The services that an owner may choose for the route with this key: its own, and the one it has."""
    own = Q(pk__in=owned(user, Service).values("pk"))
    there = Q(routes=route) | Q(backend_of__route=route) if str(route or "").isdecimal() else Q(pk=None)
    return Service.objects.filter(own | there).distinct()


def may_see(user: Any, model: type[models.Model]) -> bool:
    """Whether there is anything of the kind that an account may see; for what leads to its page."""
    return bool(user.has_perm(f"routing.view_{model._meta.model_name}")) or (
        bool(user.is_authenticated) and owns(user, model)
    )
