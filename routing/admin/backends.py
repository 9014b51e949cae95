"""D: The services that share a route's requests, on the route's page."""

from typing import Any, ClassVar

from django.http import HttpRequest

from routing import owning
from routing.admin.choosing import Choosing
from routing.admin.copying import COPY_OF
from routing.admin.forms.backends import BackendForm, BackendFormSet
from routing.admin.owners import OwnedInline
from routing.models import Destination, Route, RouteBackend, Service


class BackendInline(Choosing, OwnedInline):
    """In the order in which they were added: the last one is a canary's."""

    model = RouteBackend
    form = BackendForm
    formset = BackendFormSet
    fields: ClassVar[list[str]] = ["service", "weight"]
    extra = 0
    shown_if = "destination == 'backends'"
    autocomplete_fields = ("service",)
    verbose_name = "weighted service"
    verbose_name_plural = "weighted services"

    def get_extra(self, request: HttpRequest, obj: Any = None, **_: Any) -> int:
        if obj is not None or not (key := request.GET.get(COPY_OF, "")).isdecimal():
            return self.extra
        return RouteBackend.objects.filter(route_id=key).count()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """An owner leads its routes to its services, and where they lead already."""
        if db_field.related_model is Service and not request.user.has_perm("routing.change_service"):
            match = request.resolver_match
            key = match.kwargs.get("object_id") if match is not None else None
            kwargs["queryset"] = owning.may_lead_to(request.user, key)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def save_backends(route: Route, formset: Any) -> None:
    """In their order; a route that leads elsewhere has none."""
    for number, form in enumerate(formset.forms):
        form.instance.position = number  # of those that are new; the others stay before them
    formset.save()
    if route.destination != Destination.BACKENDS:
        route.backends.all().delete()
    for position, backend in enumerate(route.backends.order_by("position", "pk")):
        if backend.position != position:
            RouteBackend.objects.filter(pk=backend.pk).update(position=position)


def backends_text(route: Route) -> str:
    """`shop 90 %, shop-next 10 %`; of a canary the shares are on its own page."""
    weights = {each.service.name: 1 if each.weight is None else each.weight for each in route.backends.all()}
    if route.canary is not None and len(weights) > 1:
        *others, canary = weights
        return f"{', '.join(others)}; canary {canary}"
    total = sum(weights.values()) or 1
    return ", ".join(f"{name} {100 * weight / total:.3g} %" for name, weight in weights.items())
