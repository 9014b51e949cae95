"""D: The form that schedules a change: what, from when until when, in which time zone, and why."""

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from routing.document.yaml import parse_text
from routing.localtimes import BadTime, moment, zone_named
from routing.problems import ConfigurationInvalid
from routing.rows.changes import WHY_LENGTH

LONGEST = 200_000
EXAMPLE = "routes:\n- name: orders\n  enabled: false"
TIMES = "As clocks show it there, such as 2026-11-27 09:00."


class ScheduleForm(forms.Form):
    """`cleaned_data` has `document` parsed, and `starts_at` and `ends_at` as moments."""

    DOCUMENT, DRAFT = "document", "draft"
    what = forms.ChoiceField(label="Change", widget=UnfoldAdminSelectWidget())
    document = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="Document",
        help_text="Only the keys that change; null removes one. Entries that do not exist yet are added.",
        widget=UnfoldAdminExpandableTextareaWidget(
            attrs={"class": "torana-code", "placeholder": EXAMPLE, "rows": 6}
        ),
    )
    zone = forms.CharField(
        max_length=64,
        label="Time zone",
        initial="UTC",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "torana-zones", "spellcheck": "false"}),
    )
    starts = forms.CharField(
        max_length=40,
        label="From",
        help_text=TIMES,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-11-27 09:00", "autocomplete": "off"}),
    )
    until = forms.CharField(
        required=False,
        max_length=40,
        label="Until",
        help_text="Then it is taken back. Empty: it stays.",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-11-27 18:00", "autocomplete": "off"}),
    )
    reason = forms.CharField(max_length=WHY_LENGTH, label="Why", widget=UnfoldAdminTextInputWidget())

    def __init__(self, *args: Any, with_document: bool, with_draft: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = []
        if with_document:
            choices.append((self.DOCUMENT, "What the document below says"))
        if with_draft:
            choices.append((self.DRAFT, "The draft: it leaves the pending changes until then"))
        self.fields["what"].choices = choices  # type: ignore[attr-defined]

    @property
    def zones(self) -> list[str]:
        """Names to choose from."""
        return sorted(available_timezones())

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("what") == self.DOCUMENT:
            data["document"] = self._parsed(data.get("document", ""))
        try:
            zone_named(data.get("zone", ""))
        except BadTime as error:
            self.add_error("zone", f"{error}.")
            return data
        data["starts_at"] = self._moment("starts", data)
        data["ends_at"] = self._moment("until", data)
        return data

    def _parsed(self, text: str) -> Any:
        if not text.strip():
            self.add_error("document", "Say what is to change.")
            return None
        try:
            return parse_text(text)
        except ConfigurationInvalid as error:
            for problem in error.problems[:10]:
                self.add_error("document", str(problem))
            return None

    def _moment(self, field: str, data: dict[str, Any]) -> datetime | None:
        if not data.get(field):
            return None
        try:
            return moment(data[field], data["zone"])
        except BadTime as error:
            self.add_error(field, f"{error}.")
            return None
