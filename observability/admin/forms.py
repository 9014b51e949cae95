"""D: The form of somebody who is told of alerts."""

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from observability.alerts import signing
from observability.alerts.conditions import KINDS
from observability.alerts.mailing import NOT_SET
from observability.alerts.secrets import sealed
from observability.models import AlertReceiver
from observability.rows.alerts import EMAIL, WEBHOOK

MOST_ADDRESSES = 50
SECRET_BYTES = 32

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[AlertReceiver]
else:
    _ModelForm = forms.ModelForm


class ReceiverForm(_ModelForm):
    """The secret is written here and never shown; `made` is the one that the gateway made, to be shown once."""

    secret = forms.CharField(
        required=False,
        max_length=200,
        label="Signing secret",
        help_text="Of a webhook, such as whsec_…; it is kept sealed and not shown again. Empty: as it is; of a new "
        "receiver, the gateway makes one and shows it once.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    alerts = forms.MultipleChoiceField(
        required=False,
        choices=list(KINDS.items()),
        help_text="Nothing chosen: all.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    addresses = forms.CharField(
        required=False,
        label="E-mail addresses",
        help_text="One a line.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    made = ""

    class Meta:
        model = AlertReceiver
        fields = ("name", "kind", "enabled", "url", "addresses", "alerts", "least")

    def clean_url(self) -> str:
        url = str(self.cleaned_data.get("url") or "").strip()
        if not url:
            return ""
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - judged when read
        except ValueError:
            raise ValidationError("This is not a URL.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in url):
            raise ValidationError("A webhook's URL begins with https:// or http:// and names a host.")
        return url

    def clean_addresses(self) -> str:
        found = str(self.cleaned_data.get("addresses") or "").replace(",", " ").split()
        if len(found) > MOST_ADDRESSES:
            raise ValidationError(f"At most {MOST_ADDRESSES} addresses.")
        for each in found:
            validate_email(each)
        return "\n".join(found)

    def clean_secret(self) -> str:
        secret = str(self.cleaned_data.get("secret") or "").strip()
        if secret:
            try:
                signing.key_of(secret)
            except ValueError as problem:
                raise ValidationError(str(problem)) from problem
        return secret

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if kind == WEBHOOK and not cleaned.get("url") and "url" not in self.errors:
            self.add_error("url", "A webhook needs a URL.")
        if kind == EMAIL and not cleaned.get("addresses") and "addresses" not in self.errors:
            self.add_error("addresses", "E-mail needs an address.")
        if kind == EMAIL and not settings.EMAIL_HOST:
            self.add_error("kind", f"{NOT_SET}.")
        return cleaned

    def save(self, commit: bool = True) -> AlertReceiver:
        secret = self.cleaned_data.get("secret") or ""
        if not secret and self.instance.kind == WEBHOOK and not self.instance.sealed:
            secret = self.made = signing.new_secret(secrets.token_bytes(SECRET_BYTES))
        if secret:
            self.instance.sealed = sealed(secret)
        if self.instance.enabled:
            self.instance.note = ""
        return super().save(commit)
