"""Who has a hand in the draft."""

import pytest

from routing.drafts import Actor, forget_pending, is_author, live_revision, pending_authors, record_pending

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_authors_are_listed_once_in_order() -> None:
    """Of their first change; forgetting forgets all."""
    for name in ("bert", "anna", "bert"):
        record_pending(Actor(name), source="cli", message="")
    assert pending_authors() == ("bert", "anna")
    assert is_author(Actor("anna"))
    assert not is_author(Actor("carl", 1))
    forget_pending()
    assert pending_authors() == ()


def test_before_the_first_revision_nothing_is_live() -> None:
    """There is no revision 0."""
    assert live_revision() is None
