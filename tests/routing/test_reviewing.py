"""Reviewing: comments, rejections, what nobody has seen, and what went live under the draft."""

from datetime import UTC, datetime

import pytest

from routing import publishing, reviewing, scheduling
from routing.drafts import Actor
from routing.models import DraftComment, EditConflict
from routing.publishing import PublishRefused, apply_document, discard, draft_changes, draft_now, publish
from routing.reviewing import comment, comments_of, meanwhile, open_comments, reject
from tests.support.configuration import route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA, BERT, CARLA = Actor("anna"), Actor("bert"), Actor("carla")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def draft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is live, and anna has left a draft under review."""
    apply_document(small(), actor=ANNA)
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    apply_document({"version": 1, "routes": [route(timeout="5s")]}, actor=ANNA)


def test_what_was_said_is_kept_with_the_revision() -> None:
    """And is not said of the next draft."""
    comment("why five?", actor=BERT)
    comment("because", actor=ANNA)
    assert [str(each) for each in open_comments()] == ["bert: why five?", "anna: because"]
    outcome = publish(actor=BERT)
    assert outcome.revision is not None
    assert [each.text for each in comments_of(outcome.revision)] == ["why five?", "because"]
    assert open_comments() == []


def test_a_rejected_draft_must_be_changed() -> None:
    """Nobody else publishes it meanwhile; who rejected it may think better of it."""
    reject("too long", actor=BERT)
    with pytest.raises(PublishRefused, match='"bert" has rejected this draft: too long'):
        publish(actor=CARLA)
    apply_document({"version": 1, "routes": [route(timeout="4s")]}, actor=ANNA)
    assert publish(actor=CARLA).kind == "published"


def test_who_rejected_may_publish_after_all() -> None:
    """It is his own word that he takes back."""
    reject("too long", actor=BERT)
    assert publish(actor=BERT).kind == "published"


def test_a_rejected_draft_may_be_thrown_away_at_once() -> None:
    """The reason is kept."""
    reject("never", actor=BERT, discards=True)
    assert not draft_changes()
    kept = DraftComment.objects.get()
    assert (kept.is_open, kept.revision, kept.text) == (False, None, "never")


def test_what_somebody_changed_since_is_not_published_unseen() -> None:
    """The digest is that of what was looked at."""
    seen = draft_now().digest
    apply_document({"version": 1, "routes": [route(timeout="9s")]}, actor=ANNA)
    with pytest.raises(EditConflict, match="look at it again"):
        publish(actor=BERT, expected_draft=seen)
    assert publish(actor=BERT, expected_draft=draft_now().digest).kind == "published"


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001])
def test_a_comment_has_bounds(text: str) -> None:
    for call in (comment, reject):
        with pytest.raises(PublishRefused):
            call(text, actor=BERT)
    assert DraftComment.objects.count() == 0


def test_comments_are_of_a_draft_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one there is nothing to say."""
    monkeypatch.setattr(reviewing, "MOST_COMMENTS", 1)
    comment("one", actor=BERT)
    with pytest.raises(PublishRefused, match="already"):
        comment("two", actor=BERT)
    discard(actor=BERT)
    with pytest.raises(PublishRefused, match="no draft"):
        comment("three", actor=BERT)


def scheduled(document: object) -> None:
    """Goes live while the draft waits."""
    made = scheduling.add(document, actor=CARLA, zone="UTC", starts_at=NOON, now=NOON)
    scheduling.approve(made.pk, actor=BERT) if made.state == "waiting" else None
    scheduling.run_due(NOON)


def test_what_went_live_meanwhile_is_shown() -> None:
    """With what the draft would change back; what it has not changed, it takes over."""
    assert meanwhile(draft_now()) is None
    scheduled({"version": 1, "services": [service(port=9999)]})
    found = meanwhile(draft_now())
    assert found is not None
    assert (found.base, found.live, found.changes.summary(), found.conflicts) == (
        1,
        2,
        "1 service changed",
        (),
    )
    scheduled({"version": 1, "routes": [{"name": "orders", "timeout": "8s"}]})
    found = meanwhile(draft_now())
    assert found is not None
    assert found.conflicts == ('route "orders" timeout',)
