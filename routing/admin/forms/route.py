"""D: The form of a route: one destination is chosen, and the others are forgotten."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from routing.admin.forms.entry import EntryForm, entry_form
from routing.admin.forms.leaves import Path, leaves
from routing.admin.sections import honoured
from routing.columns import DESTINATIONS, ROUTE, Table
from routing.document.honoured import is_honoured
from routing.document.routes import RouteSpec
from routing.models import Destination, Route, RouteDefaults
from routing.problems import Problem
from routing.validation import check_route

HONOURED_DESTINATIONS = tuple(key for key in DESTINATIONS if is_honoured("routes", key))


class RouteEntryForm(EntryForm):
    """A route; its service is picked from the rows."""

    table: ClassVar[Table] = ROUTE

    destination = forms.ChoiceField(
        label="Leads to",
        choices=[(key, Destination(key).label) for key in HONOURED_DESTINATIONS],
        widget=UnfoldAdminSelectWidget(),
        initial=Destination.SERVICE,
    )

    class Meta:
        model = Route
        fields = ("service", "notes")

    @property
    def places(self) -> dict[Path, str]:
        return {**super().places, ("service",): "service"}

    def finish(self, entry: dict[str, Any]) -> dict[str, Any]:
        chosen = self.cleaned_data.get("destination") or ""
        for key in DESTINATIONS:
            if key != chosen:
                entry.pop(key, None)
        if chosen != Destination.SERVICE:
            entry.pop("grpc", None)
        if chosen == Destination.SERVICE:
            service = self.cleaned_data.get("service")
            entry[chosen] = service.name if service is not None else None
        elif chosen == Destination.BACKENDS:
            entry[chosen] = []  # rows of their own
        elif chosen:
            entry.setdefault(chosen, {})
        return {key: value for key, value in entry.items() if value is not None}

    def check(self, entry: Mapping[str, Any]) -> Iterable[Problem]:
        entry = dict(entry)
        if self.cleaned_data.get("destination") == Destination.SERVICE and "service" not in entry:
            if "service" not in self.errors:
                self.add_error("service", "Choose the service that gets the requests.")
            entry["service"] = "this"
        if entry.get("backends") == []:
            entry["backends"] = [{"service": "this"}]  # what they are is judged where they are
        if entry.get("redirect") == {}:
            entry["redirect"] = {"status": 301}  # an empty section counts as none; what is chosen here is one
        defaults: Any = RouteDefaults.objects.values_list("values", flat=True).first()
        # The service is a row: that it exists is certain.
        problems = check_route(entry, known_services=None, defaults=defaults, env=os.environ)
        return [problem for problem in problems if problem.path or "destination" not in self.errors]

    def spread(self, columns: dict[str, Any]) -> None:
        columns.pop("service")
        super().spread(columns)
        is_service = self.instance.destination == Destination.SERVICE
        self.instance.service = self.cleaned_data.get("service") if is_service else None


CHOSEN_FROM_ROWS = (("service",), ("backends",))
RouteForm = entry_form(
    RouteEntryForm,
    honoured("routes", [leaf for leaf in leaves(RouteSpec) if leaf.path not in CHOSEN_FROM_ROWS]),
)
