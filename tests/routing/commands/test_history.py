"""`gateway publish`, `discard`, `revisions` and `rollback`."""

import pytest

from routing import publishing
from routing.drafts import Actor
from routing.models import Revision, Target
from routing.publishing import apply_document
from tests.support.cli import gateway
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def two_revisions() -> None:
    """Port 8001, then port 9."""
    apply_document(small(), actor=Actor("anna"), message="first")
    apply_document(small(9), actor=Actor("bert"), message="second\nline")


def test_publishing_makes_the_draft_live() -> None:
    """As a new revision, with message and author; then there is nothing to do."""
    apply_document(small(), actor=Actor("anna"), draft=True)
    ran = gateway("publish", "-m", "go", "--as", "bert")
    assert ran.out.endswith("published revision 1\n")
    assert (Revision.objects.get().message, Revision.objects.get().author) == ("go", "bert")
    assert gateway("publish").out == "nothing to do\n"


def test_under_review_the_author_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 and the reason."""
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    apply_document(small(), actor=Actor("anna"))
    ran = gateway("publish", "--as", "anna")
    assert ran.code == 1
    assert "somebody else must publish it" in ran.err
    assert gateway("publish", "--as", "bert").code == 0


@pytest.mark.usefixtures("two_revisions")
def test_discarding_throws_the_draft_away() -> None:
    """Rows are the live revision again."""
    apply_document(small(10), actor=Actor("anna"), draft=True)
    assert "revision 2 again" in gateway("discard").out
    assert Target.objects.get().url.endswith(":9")
    assert gateway("discard").out == "nothing to do\n"


@pytest.mark.usefixtures("two_revisions")
def test_the_history_is_listed_newest_first() -> None:
    """Number, time, author, message, and how much changed, a line each."""
    lines = gateway("revisions").out.splitlines()
    assert len(lines) == 2
    assert lines[0].split()[0] == "2"
    assert "bert  second line  1 service changed" in lines[0]
    assert "anna  first  1 service added; 1 route added" in lines[1]
    assert len(gateway("revisions", "--limit", "1").out.splitlines()) == 1


@pytest.mark.usefixtures("two_revisions")
def test_programs_get_the_history_as_a_list() -> None:
    """With the keys that the contract names."""
    newest, oldest = gateway("revisions", "--json").data
    assert {"number", "created_at", "author", "message", "changes"} <= newest.keys()
    assert (newest["number"], newest["parent"], oldest["number"], oldest["parent"]) == (2, 1, 1, None)
    assert newest["created_at"].endswith("Z")
    assert newest["changes"]["summary"] == "1 service changed"
    assert newest["edits"] == []


@pytest.mark.usefixtures("two_revisions")
def test_whose_draft_it_was_is_told() -> None:
    """People see names, programs each edit."""
    apply_document(small(10), actor=Actor("anna"), message="ten", draft=True)
    gateway("publish", "--as", "bert")
    assert "  bert (changes by anna)  " in gateway("revisions").out.splitlines()[0]
    (edit,) = gateway("revisions", "--json").data[0]["edits"]
    assert (edit["author"], edit["message"]) == ("anna", "ten")


def test_without_a_history_it_says_so() -> None:
    """An empty list for programs."""
    assert gateway("revisions").out == "no revision yet\n"
    assert gateway("revisions", "--json").data == []


@pytest.mark.usefixtures("two_revisions")
def test_rolling_back_is_a_new_revision() -> None:
    """The rows follow; an unknown number is refused."""
    ran = gateway("rollback", "1", "--as", "carl", "--json")
    assert (ran.data["outcome"], ran.data["revision"]) == ("published", 3)
    assert Revision.objects.first().author == "carl"
    assert Target.objects.get().url.endswith(":8001")
    missing = gateway("rollback", "77")
    assert (missing.code, missing.err) == (1, "there is no revision 77\n")
