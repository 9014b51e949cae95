"""D: An operator's dialog: which of a service's targets take nothing new."""

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from routing.admin.dialogs import ReasonDialog
from routing.admin.publishing import published
from routing.draining import switch
from routing.models import Service, Target

SHOWN_TARGETS: Final = 200


class DrainDialog(ReasonDialog):
    """The targets with a box each; ticked are those that drain."""

    draining = forms.MultipleChoiceField(
        required=False, label="Nothing new for", widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = list(shown_targets(self.object_id))
        field: Any = self.fields["draining"]
        field.choices = [(str(each.pk), each.url) for each in shown]
        field.initial = [str(each.pk) for each in shown if each.drain]


def shown_targets(service: int | str | None) -> QuerySet[Target]:
    """The first of a service, in their order."""
    key = str(service)
    if not key.isdecimal():
        return Target.objects.none()
    return Target.objects.filter(service_id=int(key)).order_by("position", "pk")[:SHOWN_TARGETS]


def drain(request: HttpRequest, service: Service, wanted: list[str], why: str) -> int:
    """Publishes which targets drain; those that are not shown stay as they are. How many changed."""
    changed = [each for each in shown_targets(service.pk) if bool(each.drain) is not (str(each.pk) in wanted)]
    if not changed:
        return 0
    with published(request, message=why or _message(service, changed)):
        switch(service, changed)
    return len(changed)


def _message(service: Service, changed: list[Target]) -> str:
    """`Drain 2 targets of shop`."""
    begun = sum(not each.drain for each in changed)
    parts = [("Drain", begun), ("Use again", len(changed) - begun)]
    said = ", ".join(f"{verb} {n} target{'s' * (n != 1)}" for verb, n in parts if n)
    return f"{said} of {service.name}"
