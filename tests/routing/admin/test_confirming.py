"""The page that asks before an action on a list: what it shows and what it hands on."""

import pytest

from routing.admin.confirming import LISTED
from routing.admin.dialogs import REASON_LENGTH
from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in
from tests.support.configuration import large

pytestmark = pytest.mark.django_db


def test_question_lists_some_and_counts_the_rest() -> None:
    """All selected rows go along to the second step, however many there are."""
    apply_document(large(LISTED + 5), actor=Actor("first"))
    keys = [str(key) for key in Route.objects.values_list("pk", flat=True)]
    data = {"action": "disable_selected", "_selected_action": keys, "select_across": "0"}
    response = signed_in().post(page("route", "changelist"), data)
    text = response.content.decode()
    assert f"Disable {LISTED + 5} routes?" in text
    assert "and 5 more" in text
    assert text.count('name="_selected_action"') == LISTED + 5


def test_whole_list_is_switched_when_all_pages_are_selected() -> None:
    """Selecting across pages acts on what the list shows, not on one page of it."""
    apply_document(large(60), actor=Actor("first"))
    [first] = Route.objects.order_by("name")[:1]
    data = {
        "action": "disable_selected",
        "_selected_action": [first.pk],
        "select_across": "1",
        "confirmed": "yes",
    }
    signed_in().post(page("route", "changelist"), data)
    assert Route.objects.filter(enabled=False).count() == 60


def test_reason_is_cut_to_its_length() -> None:
    """A reason that never came from the form's field does no harm."""
    apply_document(large(1), actor=Actor("first"))
    data = {
        "action": "disable_selected",
        "_selected_action": [Route.objects.get().pk],
        "confirmed": "yes",
        "reason": "x" * (REASON_LENGTH + 50),
    }
    signed_in().post(page("route", "changelist"), data)
    assert Revision.objects.latest("number").message == "x" * REASON_LENGTH
