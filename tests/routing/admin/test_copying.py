"""Duplicating: a filled form for whoever may add, and no way around permissions."""

import pytest

from routing.drafts import Actor
from routing.models import Route
from routing.publishing import apply_document
from tests.support.adminpages import filled, page, signed_in, viewer
from tests.support.configuration import small

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def configured() -> None:
    apply_document(small(), actor=Actor("first"))


def test_copy_is_offered_to_whoever_may_add() -> None:
    """On the page and in the list."""
    key = Route.objects.get().pk
    link = page("route", "duplicate", key)
    for url in (page("route", "change", key), page("route", "changelist")):
        assert link in signed_in().get(url).content.decode()
        assert link not in viewer().get(url).content.decode()


@pytest.mark.parametrize("key", ["999999", "x", "", "1 OR 1=1"])
def test_unknown_original_gives_an_empty_form(key: str) -> None:
    """A link that is too old, or was made up, is no error."""
    data = filled(signed_in(), f"{page('route', 'add')}?copy_of={key}")
    assert data["name"] == ""


def test_original_that_may_not_be_seen_is_not_shown() -> None:
    """Whoever may add but not look gets an empty form."""
    adder = signed_in("ada", permissions=("routing.add_route",))
    data = filled(adder, f"{page('route', 'add')}?copy_of={Route.objects.get().pk}")
    assert data["match__path"] == ""
