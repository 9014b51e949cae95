"""D: The form of the explain page: a request in its parts, a curl command that holds them, or a topic."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from routing.curl import NotCurl, Request, parse_curl
from routing.document.wire import COMMON_METHODS
from routing.explain import NoRequest, request_to
from routing.explaining import Which
from routing.topics import is_topic

LIVE, DRAFT = "live", "draft"
_LONGEST_NUMBER = 19
_CONFIGURATIONS = [(LIVE, "What is live"), (DRAFT, "The draft: what publishing would make live")]
_ACTIONS = [("subscribe", "Read it"), ("publish", "Write to it")]
LONGEST = 20_000
MOST_HEADERS = 200
_OF_REQUESTS = ("curl", "url", "headers", "address")


class ExplainForm(forms.Form):
    """`cleaned_data` has the `request` to explain, or a `topic` that is not empty, with an `action`."""

    curl = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="Paste a curl command",
        help_text="It takes the place of the fields below.",
        widget=UnfoldAdminExpandableTextareaWidget(
            attrs={
                "class": "torana-code",
                "placeholder": "curl -H 'x-tenant: acme' https://api.example.com/orders",
            }
        ),
    )
    method = forms.CharField(
        required=False,
        max_length=50,
        initial="GET",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "torana-methods"}),
    )
    url = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="URL",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://api.example.com/orders/7?page=2"}),
    )
    headers = forms.CharField(
        required=False,
        max_length=LONGEST,
        help_text="One name: value a line.",
        widget=UnfoldAdminExpandableTextareaWidget(
            attrs={"class": "torana-code", "placeholder": "name: value"}
        ),
    )
    caller = forms.CharField(
        required=False,
        max_length=150,
        label="As",
        help_text="An account or a consumer. Empty: a request without credentials.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    address = forms.GenericIPAddressField(
        required=False,
        label="From",
        help_text="The client's address. Quotas that count by address are unknown without it.",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "203.0.113.7", "spellcheck": "false"}),
    )
    topic = forms.CharField(
        required=False,
        max_length=200,
        help_text="Instead of a request: who may read or write this topic, and by which rule.",
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": "orders.7", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    action = forms.ChoiceField(
        choices=_ACTIONS,
        initial="subscribe",
        required=False,
        label="To do with the topic",
        widget=UnfoldAdminSelectWidget(),
    )
    configuration = forms.ChoiceField(
        choices=_CONFIGURATIONS,
        initial=LIVE,
        widget=UnfoldAdminSelectWidget(),
    )
    methods = COMMON_METHODS

    def __init__(self, *args: Any, may_name: bool = True, **kwargs: Any) -> None:
        """`may_name`: an explanation tells what the caller may do, which not everybody may know."""
        super().__init__(*args, **kwargs)
        if not may_name:
            del self.fields["caller"]
        revision = str(self.data.get("configuration", ""))
        if _is_revision(revision):
            configuration = cast("forms.ChoiceField", self.fields["configuration"])
            configuration.choices = [*_CONFIGURATIONS, (revision, f"Revision {revision}")]

    @property
    def which(self) -> Which:
        """Live, the draft, or the number of a revision."""
        chosen = self.cleaned_data["configuration"]
        return int(chosen) if _is_revision(chosen) else chosen

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("topic") or "topic" in self.errors:
            self._check_topic(data)
        elif data.get("curl", "").strip():
            try:
                data["request"] = parse_curl(data["curl"])
            except NotCurl as fault:
                self.add_error("curl", f"This cannot be read: {fault}.")
        elif not data.get("url", "").strip():
            self.add_error("url", "Give the URL of a request.")
        else:
            headers = tuple(self._headers(data.get("headers", "")))
            data["request"] = Request(data.get("method", "").strip() or "GET", data["url"].strip(), headers)
        if "request" in data:
            self._check_request(data["request"], is_curl=bool(data.get("curl", "").strip()))
        return data

    def _check_request(self, wanted: Request, *, is_curl: bool) -> None:
        try:
            request_to(wanted.method, wanted.url, wanted.headers)
        except NoRequest as fault:
            self.add_error("curl" if is_curl else fault.field, f"This cannot be sent: {fault}.")

    def _check_topic(self, data: Mapping[str, Any]) -> None:
        if any(str(data.get(name) or "").strip() for name in _OF_REQUESTS):
            self.add_error("topic", "Give either a request or a topic: the fields of the other stay empty.")
        elif "topic" in data and not is_topic(data["topic"]):
            self.add_error("topic", "Want 1 to 200 of letters, digits and . _ : -.")

    def _headers(self, text: str) -> list[tuple[str, str]]:
        found = []
        for number, line in enumerate(text.splitlines(), start=1):
            name, colon, value = line.partition(":")
            if colon and name.strip():
                found.append((name.strip(), value.strip()))
            elif line.strip():
                self.add_error("headers", f"Line {number}: write name: value.")
        if len(found) > MOST_HEADERS:
            self.add_error("headers", f"At most {MOST_HEADERS} headers.")
        return found


def _is_revision(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < _LONGEST_NUMBER


def initial_of(request: Request) -> dict[str, str]:
    """The fields that stand for a request."""
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers)
    return {"method": request.method, "url": request.url, "headers": headers}
