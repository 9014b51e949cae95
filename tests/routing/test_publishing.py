"""Publishing: everything or nothing, one number after the other, reviewed where review is asked for."""

from typing import Any

import orjson
import pytest
from django.db import transaction

from routing import publishing
from routing.document.canonical import canonicalise, digest
from routing.drafts import Actor, pending_authors
from routing.loader import read_rows
from routing.models import EditConflict, PendingChange, Revision, Route, Service, Target
from routing.problems import ConfigurationInvalid
from routing.publishing import (
    PublishRefused,
    apply_document,
    bind_audit,
    discard,
    draft_changes,
    publish,
    publish_rows_after_edit,
    rollback,
)
from tests.support.configuration import large, route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA, BERT = Actor("anna"), Actor("bert")


@pytest.fixture
def review(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUBLISH=review."""
    monkeypatch.setattr(publishing, "under_review", lambda: True)


def apply(document: dict[str, Any], **options: Any) -> publishing.Outcome:
    return apply_document(document, actor=options.pop("actor", ANNA), **options)


def numbers() -> list[int]:
    return list(Revision.objects.order_by("number").values_list("number", flat=True))


def state() -> tuple[Any, list[int]]:
    return canonicalise(read_rows()), numbers()


def test_applying_publishes_rows_and_revision_together() -> None:
    """The revision holds the canonical document, its digest, its author and what changed."""
    outcome = apply(small(), message="first", source="cli")
    revision = Revision.objects.get()
    assert (outcome.kind, outcome.revision) == ("published", 1)
    assert (revision.number, revision.parent, revision.author) == (1, None, "anna")
    assert (revision.message, revision.source) == ("first", "cli")
    assert orjson.loads(revision.document) == canonicalise(small()) == canonicalise(read_rows())
    assert revision.digest == digest(small())
    assert revision.changes["summary"] == "1 service added; 1 route added"


def test_a_large_change_is_remembered_by_its_names() -> None:
    """Details are kept of the first entries only, so that history stays small."""
    apply(large(publishing.DETAILED_ENTRIES + 10))
    entries = Revision.objects.get().changes["entries"]
    assert len(entries) > publishing.DETAILED_ENTRIES
    assert [("fields" in entry) for entry in entries].count(True) == publishing.DETAILED_ENTRIES


def test_applying_the_same_again_does_nothing() -> None:
    """No revision is made of no change."""
    apply(small())
    again = apply(small())
    assert (again.kind, again.revision, bool(again.changes)) == ("unchanged", 1, False)
    assert numbers() == [1]


def test_a_file_leaves_alone_what_it_does_not_name() -> None:
    """Without prune, applying a second file adds to the first."""
    apply(small())
    apply({"version": 1, "services": [service("users", 8002)]})
    assert {row.name for row in Service.objects.all()} == {"orders", "users"}
    assert Route.objects.exists()


def test_pruning_removes_what_the_file_does_not_name() -> None:
    """And says what it removed."""
    apply(small())
    outcome = apply({"version": 1, "services": [service("users")]}, prune=True)
    assert outcome.pruned == ("services orders", "routes orders")
    assert [row.name for row in Service.objects.all()] == ["users"]


def test_problems_have_the_paths_of_the_file() -> None:
    """Also when the rows hold entries that sort before those of the file."""
    apply({"version": 1, "services": [service("a")], "routes": [route("a", "/a", "a")]})
    with pytest.raises(ConfigurationInvalid) as refused:
        apply({"version": 1, "routes": [route("z", "/z", "a"), route("y", "/y", "b")]})
    assert [problem.path for problem in refused.value.problems] == ["routes[1].service"]


@pytest.mark.parametrize(
    "document",
    [None, [], "x", {}, {"version": 2}, {"routes": [{}]}, {"version": 1, "routes": [route(to="none")]}],
)
def test_a_refused_document_changes_nothing(document: Any) -> None:
    """Whatever is wrong with it, rows and history stay as they were."""
    apply(small())
    before = state()
    if document == {}:
        assert apply_document(document, actor=ANNA).kind == "unchanged"
    else:
        with pytest.raises(ConfigurationInvalid):
            apply_document(document, actor=ANNA)
    assert state() == before


def test_a_dry_run_changes_nothing() -> None:
    """It answers what would change."""
    outcome = apply(small(), dry_run=True)
    assert outcome.kind == "previewed"
    assert outcome.changes
    assert state() == (canonicalise({"version": 1}), [])


def test_a_name_from_the_environment_is_refused() -> None:
    """Rows refer to each other by name, so names are written out."""
    with pytest.raises(
        ConfigurationInvalid, match=r"routes\[0\].service: .*cannot come from the environment"
    ):
        apply({**small(), "routes": [route(to="${WHERE:-orders}")]})


def test_a_draft_waits_until_it_is_published() -> None:
    """Rows change, what is live does not; publishing makes it live."""
    apply(small())
    drafted = apply(small(port=9), draft=True)
    assert (drafted.kind, drafted.revision) == ("drafted", 1)
    assert Target.objects.get().url.endswith(":9")
    assert draft_changes()
    assert publish(actor=ANNA).revision == 2
    assert not draft_changes()
    assert not PendingChange.objects.exists()


def test_applying_a_draft_again_without_draft_publishes_it() -> None:
    """There is nothing to write, but there is something to publish."""
    apply(small(), draft=True)
    assert apply(small()).kind == "published"


def test_discarding_returns_the_rows_to_what_is_live() -> None:
    """The draft and its authors are forgotten."""
    apply(small())
    before = state()
    apply(small(port=9), draft=True)
    assert discard(actor=BERT).kind == "discarded"
    assert state() == before
    assert pending_authors() == ()
    assert discard(actor=BERT).kind == "unchanged"


def test_discarding_before_the_first_revision_empties_the_rows() -> None:
    """What is live then is nothing."""
    apply(small(), draft=True)
    discard(actor=ANNA)
    assert not Service.objects.exists()


@pytest.mark.usefixtures("review")
def test_under_review_nobody_publishes_what_they_wrote() -> None:
    """Applying leaves a draft; its author is refused, another person is not."""
    assert apply(small()).kind == "drafted"
    with pytest.raises(PublishRefused, match='"anna" has a hand in this draft'):
        publish(actor=ANNA)
    assert publish(actor=BERT).kind == "published"


@pytest.mark.usefixtures("review")
def test_under_review_one_hand_in_the_draft_is_enough() -> None:
    """Two authors: neither publishes; the account counts, not only the name."""
    apply(small())
    apply(small(port=9), actor=Actor("bert"))
    for actor in (ANNA, BERT):
        with pytest.raises(PublishRefused):
            publish(actor=actor)
    assert publish(actor=Actor("carl")).revision == 1


def test_the_account_is_recognised_under_another_name(review: None, django_user_model: Any) -> None:
    """Renaming an account does not make it somebody else."""
    user = django_user_model.objects.create_user("anna")
    apply(small(), actor=Actor("anna", user.pk))
    with pytest.raises(PublishRefused):
        publish(actor=Actor("hannah", user.pk))


def test_rolling_back_is_a_new_revision() -> None:
    """Rows, document and digest are the old ones; history grows."""
    apply(small())
    apply(small(port=9))
    outcome = rollback(1, actor=BERT)
    newest, _, oldest = Revision.objects.all()
    assert (outcome.revision, newest.number, newest.parent, newest.author) == (3, 3, 2, "bert")
    assert (newest.document, newest.digest) == (oldest.document, oldest.digest)
    assert newest.message == "Back to revision 1"
    assert Target.objects.get().url.endswith(":8001")
    assert rollback(3, actor=BERT).kind == "unchanged"


def test_rolling_back_never_swallows_a_draft() -> None:
    """It is refused while somebody's draft is pending, and names whose."""
    apply(small())
    apply(small(port=9))
    apply(small(port=10), draft=True)
    with pytest.raises(PublishRefused, match="draft by anna"):
        rollback(1, actor=BERT)
    with pytest.raises(PublishRefused, match="no revision 7"):
        rollback(7, actor=BERT)


def test_saved_rows_are_published() -> None:
    """What admin saves row by row becomes a revision in the same transaction."""
    apply(small())
    with transaction.atomic():
        target = Target.objects.get()
        target.url = "http://127.0.0.1:9"
        target.save()
        outcome = publish_rows_after_edit(actor=BERT, message="moved")
    assert (outcome.kind, outcome.revision) == ("published", 2)
    assert orjson.loads(Revision.objects.first().document)["services"][0]["targets"] == [
        {"url": "http://127.0.0.1:9"}
    ]


def test_saved_rows_that_are_wrong_together_are_refused() -> None:
    """The caller's transaction then rolls back what was saved."""
    apply(small())
    before = state()

    @transaction.atomic
    def save() -> None:
        Target.objects.update(url="ftp://nowhere")
        publish_rows_after_edit(actor=BERT)

    with pytest.raises(ConfigurationInvalid):
        save()
    assert state() == before


@pytest.mark.usefixtures("review")
def test_a_draft_that_came_back_to_what_is_live_has_no_authors() -> None:
    """Edits that cancel each other out leave nothing to review."""
    apply(small())
    publish(actor=BERT)
    apply(small(port=9))
    assert pending_authors() == ("anna",)
    apply(small())
    assert pending_authors() == ()
    assert not draft_changes()


def test_publishing_says_everything_that_became_live() -> None:
    """Also what another's draft had changed before."""
    apply(small())
    apply(small(port=9), draft=True)
    outcome = apply({"version": 1, "services": [service("users")]}, actor=BERT)
    assert outcome.changes.summary() == "1 service added, 1 changed"


@pytest.mark.usefixtures("review")
def test_saved_rows_stay_a_draft_under_review() -> None:
    """And the one who saved them is noted."""
    with transaction.atomic():
        Service.objects.create(name="a")
        outcome = publish_rows_after_edit(actor=BERT)
    assert (outcome.kind, pending_authors(), numbers()) == ("drafted", ("bert",), [])


def test_an_expected_revision_guards_against_lost_updates() -> None:
    """Whoever read revision 1 does not overwrite revision 2 unknowingly."""
    apply(small(), expected_revision=0)
    apply(small(port=9), expected_revision=1)
    with pytest.raises(EditConflict, match="revision 2 is live"):
        apply(small(port=10), expected_revision=1)
    assert numbers() == [1, 2]


def test_the_audit_port_is_told_inside_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it cannot write its event, nothing is changed."""
    monkeypatch.setattr(publishing, "_audit", [])
    events: list[publishing.PublishedEvent] = []
    bind_audit(events.append)
    apply(small())
    assert [(event.action, event.actor.name, event.revision) for event in events] == [("publish", "anna", 1)]

    def fail(_event: publishing.PublishedEvent) -> None:
        raise RuntimeError("no audit, no change")

    bind_audit(fail)
    before = state()
    with pytest.raises(RuntimeError):
        apply(small(port=9))
    assert state() == before


def test_a_look_at_the_draft_makes_nothing_canonical_that_did_not_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of very many entries it compares how they are written."""
    apply(large(20))
    taken: list[int] = []

    def counted(raw: Any) -> dict[str, Any]:
        taken.append(sum(len(raw.get(kind, ())) for kind in ("services", "routes")))
        return canonicalise(raw)

    monkeypatch.setattr("routing.diff.canonicalise", counted)
    assert (bool(draft_changes()), taken) == (False, [])
    Route.objects.filter(name=Route.objects.order_by("name")[0].name).update(path="/moved")
    assert (draft_changes().summary(), taken) == ("1 route changed", [1, 1])


def test_rows_written_in_another_way_are_no_draft() -> None:
    """Only what they say counts."""
    apply(small())
    Route.objects.update(enabled=True, priority=0)
    assert not draft_changes()
