"""D: The form above the list of requests."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from observability.requests.querying import Filters, status_fault

LONGEST = 300


def _text(label: str, placeholder: str = "") -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": placeholder, "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=LONGEST, widget=widget)


def _moment(label: str) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "2030-12-31 12:00"})
    return forms.DateTimeField(label=label, required=False, widget=widget)


class RequestFilters(forms.Form):
    """All of them may be empty; `filters` are what they say, once the form is valid."""

    status = _text("Status", "404, or 5xx")
    code = _text("Code", "RATE_LIMIT")
    route = _text("Route")
    service = _text("Service")
    consumer = _text("Consumer")
    client = _text("Client", "203.0.113.7")
    method = _text("Method", "GET")
    path = _text("In the path", "/orders")
    request_id = _text("Request or trace", "X-Request-ID")
    would = _text("Would be refused by", "quotas")
    since = _moment("Since")
    until = _moment("Until")

    def clean_status(self) -> str:
        text: str = self.cleaned_data["status"].strip()
        if fault := status_fault(text):
            raise forms.ValidationError(f"Not a status: {fault}.")
        return text

    @property
    def filters(self) -> Filters:
        """Raises KeyError before the form is valid."""
        given: dict[str, Any] = {
            name: value.strip() if isinstance(value, str) else value
            for name, value in self.cleaned_data.items()
        }
        return Filters(**given)
