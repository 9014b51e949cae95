"""D: The form of one of the services that share a route's requests."""

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from routing.admin.forms.leaves import leaves
from routing.admin.forms.places import steps
from routing.cleaning import route_problems
from routing.document.destinations import BackendSpec
from routing.models import Destination, RouteBackend

CHILD = "backends"
_LEAF = {leaf.name: leaf for leaf in leaves(BackendSpec)}

if TYPE_CHECKING:
    _BackendForm = forms.ModelForm[RouteBackend]
else:
    _BackendForm = forms.ModelForm


class BackendForm(_BackendForm):
    """A service and its weight."""

    weight = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=65535,
        help_text=_LEAF["weight"].help,
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": _LEAF["weight"].default, "inputmode": "numeric"}
        ),
    )

    class Meta:
        model = RouteBackend
        fields = ("service", "weight")


class BackendFormSet(PaginationInlineFormSet):
    """The services of a route, judged together with it; those of a route that leads elsewhere do not count."""

    def clean(self) -> None:
        super().clean()
        if self.instance.destination != Destination.BACKENDS:
            return
        forms_that_count = [form for form in self.initial_forms + self.extra_forms if self._counts(form)]
        if not forms_that_count:
            raise forms.ValidationError("Name the services that share the requests.")
        for problem in route_problems(self.instance, [_entry(form) for form in forms_that_count]):
            place = steps(problem.path)
            message = problem.message[:1].upper() + problem.message[1:]
            if place[:1] == (CHILD,) and len(place) > 1 and isinstance(place[1], int):
                forms_that_count[place[1]].add_error("service", message)
            elif place[:1] == (CHILD,):
                raise forms.ValidationError(message)

    def _counts(self, form: Any) -> bool:
        return form.is_valid() and form.cleaned_data.get("service") and not form.cleaned_data.get("DELETE")


def _entry(form: Any) -> dict[str, Any]:
    entry = {"service": form.cleaned_data["service"].name}
    weight = form.cleaned_data.get("weight")
    return entry if weight is None else {**entry, "weight": weight}
