"""Dialogs of admin about one row: they open where there is such a row, and nowhere else."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import reverse

from routing.models import Revision
from tests.support.adminpages import page, signed_in
from tests.support.everyrow import a_row_of_each

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ABSENT = ("9" * 20, "no-such-row", "0")


def dialogs() -> Iterator[str]:
    """The names of their pages."""
    for model, shown in admin.site._registry.items():
        offered = (*(shown.actions_detail or ()), *(shown.actions_row or ()))
        for name in set(shown._extract_action_names(offered)):  # of groups, too
            if hasattr(getattr(shown, name), "dialog"):
                yield f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"


NAMES = sorted(dialogs())


def test_there_are_dialogs() -> None:
    """All that this file is about."""
    assert {"admin:routing_revision_roll_back", "admin:realtime_deadletter_send"} <= set(NAMES)
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_a_dialog_about_nothing_is_404(name: str) -> None:
    """Whoever may not act is refused before."""
    client, other = signed_in(), signed_in("nora", permissions=())
    for key in ABSENT:
        there = reverse(name, args=[key])
        assert client.get(there).status_code == 404
        assert client.post(there, {"_form_submitted": "on"}).status_code == 404
        assert other.get(there).status_code == 403


def test_a_dialog_about_a_row_opens() -> None:
    a_row_of_each()
    row = Revision.objects.latest("number")
    text = signed_in().get(page("revision", "roll_back", row.pk)).content.decode()
    assert "Roll back to this revision?" in text


def test_a_list_that_has_the_row_still_is_loaded_anew() -> None:
    """htmx shows nothing of a 404."""
    client, there = signed_in(), page("revision", "changelist")
    answer = client.get(page("revision", "roll_back", 999), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (200, there)
    assert "This revision is not there any more." in client.get(there).content.decode()
