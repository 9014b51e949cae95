"""Who has a hand in the draft."""

import pytest

from routing import drafts, publishing
from routing.drafts import (
    Actor,
    forget_pending,
    is_author,
    live_revision,
    made_by,
    pending_authors,
    record_pending,
)
from routing.edits import edits_between
from routing.locking import writing
from routing.models import PendingChange, Revision
from routing.publishing import apply_document, live_and_draft, publish, publish_edits, rollback
from tests.support.configuration import route, small

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


def test_a_revision_remembers_who_drafted_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, with when, how and why; what goes live at once, or back, is nobody's draft."""
    apply_document(small(), actor=Actor("anna"))
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    apply_document(small(1), actor=Actor("anna"), message="one", source="cli")
    apply_document(small(2), actor=Actor("bert"), message="two", source="api")
    times = [each.created_at.isoformat().replace("+00:00", "Z") for each in PendingChange.objects.all()]
    publish(actor=Actor("carl"))
    rollback(1, actor=Actor("anna"))
    first, second, third = Revision.objects.order_by("number")
    assert (first.edits, third.edits) == (None, None)
    assert second.edits == [
        {"at": times[0], "author": "anna", "source": "cli", "message": "one"},
        {"at": times[1], "author": "bert", "source": "api", "message": "two"},
    ]
    assert [made_by(each) for each in (first, second, third)] == [
        "anna",
        "carl (changes by anna, bert)",
        "anna",
    ]


def test_of_very_many_edits_the_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of very many people the first few are named; who published it is not named twice."""
    monkeypatch.setattr(drafts, "MOST_EDITS", 6)
    apply_document(small(), actor=Actor("p1"), draft=True)
    for number in range(2, 9):
        record_pending(Actor(f"p{number}"), source="cli", message="")
    publish(actor=Actor("p8"))
    newest = Revision.objects.get()
    assert [each["author"] for each in newest.edits] == ["p3", "p4", "p5", "p6", "p7", "p8"]
    assert made_by(newest) == "p8 (changes by p3, p4, p5, 2 more)"


def test_what_is_published_with_a_draft_has_both_hands() -> None:
    """Who applies something while others' draft is pending publishes that, too."""
    apply_document(small(), actor=Actor("anna"))
    apply_document(small(1), actor=Actor("anna"), message="hers", draft=True)
    apply_document({"version": 1, "routes": [route("new", "/new")]}, actor=Actor("bert"), message="his")
    newest = Revision.objects.get(number=2)
    assert [(each["author"], each["message"]) for each in newest.edits] == [("anna", "hers"), ("bert", "his")]
    assert made_by(newest) == "bert (changes by anna)"


def test_a_draft_that_went_live_beside_is_nobodys_any_more() -> None:
    """What is published later is not told to be of those who had drafted it."""
    apply_document(small(), actor=Actor("anna"))
    live = live_and_draft()[0]
    apply_document(small(1), actor=Actor("anna"), message="hers", draft=True)
    with writing():
        publish_edits(
            edits_between(live, live_and_draft()[1]), actor=Actor("planner"), message="", source="test"
        )
    assert not PendingChange.objects.exists()
    apply_document(small(2), actor=Actor("bert"))
    assert Revision.objects.get(number=3).edits is None
