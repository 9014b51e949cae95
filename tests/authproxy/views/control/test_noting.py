"""What calls say to the trail of rows that are no part of the document."""

import pytest
from django.contrib.auth.models import Group

from authproxy.identity import Identity
from authproxy.views.control.calling import Caller
from authproxy.views.control.noting import note
from tests.support.trail import events

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("word", "before", "after", "what"),
    [
        ("create", None, {"name": "crew"}, "added"),
        ("change", {"name": "gang"}, {"name": "crew"}, "changed"),
        ("delete", {"name": "crew"}, None, "removed"),
    ],
)
def test_a_row_is_named_as_in_admin(
    word: str, before: dict[str, str] | None, after: dict[str, str] | None, what: str
) -> None:
    """By its kind and name, with who calls."""
    caller = Caller(Identity(method="jwt", name="ada", provider="test", is_staff=True), None)
    note(caller, word, Group(name="crew"), before, after)
    (event,) = events()
    assert (event["action"], event["actor"]) == (f"group.{word}", "ada")
    assert event["objects"] == [["group", "crew"]]
    assert event["changes"][0]["action"] == what


def test_what_is_as_it_was_is_no_event() -> None:
    caller = Caller(Identity(method="jwt", name="ada", provider="test", is_staff=True), None)
    note(caller, "change", Group(name="crew"), {"name": "crew"}, {"name": "crew"})
    assert list(events()) == []
