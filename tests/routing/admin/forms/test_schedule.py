"""The form of a scheduled change: what it offers, and what it reads."""

from datetime import UTC, datetime

from routing.admin.forms.schedule import ScheduleForm

GIVEN = {
    "document": "routes: []",
    "zone": "Europe/Berlin",
    "starts": "2026-10-25 02:30+02:00",
    "reason": "sale",
}


def test_it_reads_times_and_the_document() -> None:
    """An offset says which of two times is meant; without an end it stays."""
    form = ScheduleForm({**GIVEN, "what": "document"}, with_document=True, with_draft=False)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["starts_at"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert form.cleaned_data["ends_at"] is None
    assert form.cleaned_data["document"] == {"routes": []}


def test_it_offers_only_what_is_allowed() -> None:
    """No draft without the right to one."""
    form = ScheduleForm({**GIVEN, "what": "draft"}, with_document=True, with_draft=False)
    assert "what" in form.errors
    assert ScheduleForm({**GIVEN, "what": "draft"}, with_document=False, with_draft=True).is_valid()
    assert "Europe/Berlin" in form.zones
