"""D: Who calls the control API, and what they may do: what the same would take in admin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import Permission, User
from django.db.models import Model, QuerySet
from rest_framework.request import Request

from authproxy import problems
from authproxy.admin import rights
from authproxy.identity import Identity
from authproxy.refusing import Refused, forbidden
from authproxy.views.base import account_of, required_identity
from routing import owning
from routing.diff import Changes, EntryChange
from routing.document.references import services_of
from routing.drafts import Actor
from routing.loader import MODELS as ROWS
from routing.models import Route, RouteDefaults, Service

PUBLISH: Final = "routing.publish"
HISTORY: Final = "routing.view_revision"
_VERBS: Final = {"added": "add", "removed": "delete", "changed": "change"}
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Staff. `account` None: of an identity provider's, or a token of whoever shares the secret; it may everything."""

    identity: Identity
    account: User | None

    @property
    def name(self) -> str:
        return self.identity.name or self.identity.consumer

    @property
    def actor(self) -> Actor:
        """As revisions name it."""
        return Actor(self.name, self.account.pk if self.account is not None else None)

    def may(self, permission: str) -> bool:
        return self.account is None or self.account.has_perm(permission)

    def require(self, *permissions: str) -> None:
        """Refuses whoever has none of these permissions; the first is the one that is named."""
        if not any(map(self.may, permissions)):
            raise forbidden(f"This takes the permission {permissions[0]}.")

    def beyond(self, wanted: Iterable[Permission]) -> list[str]:
        """The rights among these that the caller may not pass on. Read their content types with them."""
        return [] if self.account is None else rights.beyond(self.account, wanted)

    def owned(self, model: type[Model]) -> "QuerySet[Any]":
        """The rows of a kind that the caller owns."""
        return model._default_manager.none() if self.account is None else owning.owned(self.account, model)

    def visible(self, kind: str) -> "QuerySet[Any]":
        """The rows of a kind that the caller may see; refused where that is none of them."""
        model = ROWS[kind]
        permission = permission_for("view", model)
        if self.may(permission):
            return model._default_manager.all()
        rows = self.owned(model)
        if not rows.exists():
            self.require(permission)
        return model._default_manager.filter(pk__in=rows.values("pk"))

    def require_hand(self, kind: str, verbs: tuple[str, ...], name: str = "") -> None:
        """Refuses whoever may do none of these to entries of a kind, nor owns the one of this name."""
        model = model_of(kind)
        if any(self.may(permission_for(verb, model)) for verb in verbs):
            return
        if "change" in verbs and name and self.owned(model).filter(name=name).exists():
            return
        raise forbidden(f"This takes the permission {permission_for(verbs[0], model)}.")

    def judge(self, before: Document, after: Document, changes: Changes) -> None:
        """Refuses changes of the configuration that the caller may not make; for `publishing`."""
        for change in changes.entries:
            if not self._may_change(change, before, after):
                model = model_of(change.kind)
                verb = "change" if model is RouteDefaults else _VERBS[change.action]
                raise forbidden(
                    f"This takes the permission {permission_for(verb, model)}: {change.kind} {change.name}".rstrip()
                )

    def _may_change(self, change: EntryChange, before: Document, after: Document) -> bool:
        model = model_of(change.kind)
        if model is RouteDefaults:
            return self.may(permission_for("change", model))
        if self.may(permission_for(_VERBS[change.action], model)):
            return True
        if change.action != "changed":
            return False
        row = self.owned(model).filter(name=change.name).first()
        if row is None or model is not Route:
            return row is not None
        added = _services(after, change.name) - _services(before, change.name)
        return self.may(permission_for("change", Service)) or added <= self._may_lead_to(row)

    def _may_lead_to(self, route: Any) -> set[str]:
        assert self.account is not None
        return set(owning.may_lead_to(self.account, route.pk).values_list("name", flat=True))


def staff(request: Request) -> Caller:
    """Who calls; refused unless it is staff."""
    identity = required_identity(request)
    if not identity.is_staff:
        raise Refused(problems.forbidden({"level": "admin"}))
    return Caller(identity, account_of(identity))


def model_of(kind: str) -> type[Model]:
    """The rows of a section of the document."""
    return RouteDefaults if kind == "defaults" else ROWS[kind]


def permission_for(verb: str, model: type[Model]) -> str:
    """Django's name of it."""
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def _services(document: Document, name: str) -> set[str]:
    """Where a route leads, by whatever way."""
    for entry in document.get("routes") or ():
        if entry["name"] == name:
            return {str(service) for _, service in services_of(entry)}
    return set()
