"""Scheduling: published at its time, taken back at its end, once, and never over somebody else's change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from routing import publishing, scheduling
from routing.drafts import Actor
from routing.models import PendingChange, Revision, Schedule
from routing.publishing import PublishedEvent, PublishRefused, apply_document, draft_changes, publish
from routing.scheduling import add, add_draft, approve, cancel, run_due
from tests.support.configuration import route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA, BERT = Actor("anna"), Actor("bert")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
OFF = {"version": 1, "routes": [{"name": "orders", "enabled": False}]}
DISABLED = {"version": 1, "routes": [route(enabled=False)]}


@pytest.fixture(autouse=True)
def live() -> None:
    """One route, published."""
    apply_document(small(), actor=ANNA)


@pytest.fixture
def review(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUBLISH=review, everywhere."""
    for module in (publishing, scheduling):
        monkeypatch.setattr(module, "under_review", lambda: True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[PublishedEvent]:
    """What the audit port is told."""
    events: list[PublishedEvent] = []
    monkeypatch.setattr(publishing, "_audit", [events.append])
    return events


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def planned(
    document: Any = OFF, *, starts: int = 10, until: int | None = 20, actor: Actor = ANNA
) -> Schedule:
    ends_at = None if until is None else at(until)
    return add(
        document, actor=actor, zone="UTC", starts_at=at(starts), ends_at=ends_at, reason="sale", now=NOON
    )


def document() -> Any:
    return orjson.loads(Revision.objects.order_by("-number").values_list("document", flat=True)[0])


def enabled() -> Any:
    return document()["routes"][0].get("enabled", True)


def state(schedule: Schedule) -> str:
    schedule.refresh_from_db()
    return schedule.state


def test_it_comes_and_goes_by_itself() -> None:
    """Each is a revision, with who and why; before its time nothing happens, and nothing happens twice."""
    schedule = planned()
    assert run_due(at(9)) == 0
    assert (run_due(at(10)), run_due(at(10)), enabled()) == (1, 0, False)
    assert state(schedule) == "active"
    assert (run_due(at(20)), run_due(at(21)), enabled()) == (1, 0, True)
    assert state(schedule) == "done"
    assert (schedule.begun_revision, schedule.ended_revision) == (2, 3)
    revision = Revision.objects.get(number=2)
    assert (revision.author, revision.source) == ("anna", "schedule")
    assert revision.message == f"Schedule {schedule.pk}: sale"


def test_what_changed_elsewhere_meanwhile_stays() -> None:
    """Only what the schedule changed is restored."""
    planned()
    run_due(at(10))
    apply_document({"version": 1, "services": [service(port=9999)]}, actor=BERT)
    run_due(at(20))
    assert enabled() is True
    assert document()["services"][0]["targets"] == [{"url": "http://127.0.0.1:9999"}]


def test_the_same_changed_meanwhile_is_a_conflict(told: list[PublishedEvent]) -> None:
    """It is shown and told, not overwritten, and not tried again."""
    schedule = planned({"version": 1, "routes": [route(timeout="5s")]})
    run_due(at(10))
    apply_document({"version": 1, "routes": [route(timeout="7s")]}, actor=BERT)
    before = document()
    assert (run_due(at(20)), run_due(at(21))) == (1, 0)
    assert state(schedule) == "conflict"
    assert schedule.note == 'route "orders" timeout was changed by somebody else meanwhile'
    assert document() == before
    assert [event.action for event in told].count("schedule.conflict") == 1


def test_what_is_not_valid_any_more_is_a_conflict() -> None:
    """Its service was removed meanwhile."""
    apply_document({"version": 1, "services": [service("new", 8002)]}, actor=ANNA)
    schedule = planned({"version": 1, "routes": [route("new", "/new", "new")]})
    apply_document(small(), actor=BERT, prune=True)
    number = Revision.objects.count()
    run_due(at(10))
    assert (state(schedule), Revision.objects.count()) == ("conflict", number)
    assert "not valid any more" in schedule.note


def test_who_comes_late_does_what_is_due() -> None:
    """Within its time it begins at once; past its time it is missed."""
    late, missed = (
        planned(starts=1, until=60),
        planned({"version": 1, "routes": [route(timeout="5s")]}, until=20),
    )
    run_due(at(30))
    assert (state(late), state(missed), enabled()) == ("active", "missed", False)
    assert "timeout" not in document()["routes"][0]


def test_two_that_follow_each_other_are_done_in_order() -> None:
    """Late, in one look: the first ends before the second begins."""
    first = planned({"version": 1, "routes": [{"name": "orders", "timeout": "5s"}]}, starts=1, until=10)
    second = planned({"version": 1, "routes": [{"name": "orders", "timeout": "9s"}]}, starts=10, until=60)
    run_due(at(1))
    assert run_due(at(30)) == 2
    assert (state(first), state(second)) == ("done", "active")
    assert [each.message for each in Revision.objects.all()[:2]] == [
        f"Schedule {second.pk}: sale",
        f"Schedule {first.pk} ends: sale",
    ]


def test_it_leaves_a_draft_alone() -> None:
    """The draft gets the change too, and is still a draft; what it changes itself it keeps."""
    apply_document({"version": 1, "services": [service(port=9999)]}, actor=BERT, draft=True)
    planned()
    run_due(at(10))
    assert enabled() is False
    assert document()["services"][0]["targets"] == [{"url": "http://127.0.0.1:8001"}]
    assert draft_changes().summary() == "1 service changed"
    assert PendingChange.objects.count() == 1
    publish(actor=ANNA)
    assert (enabled(), document()["services"][0]["targets"]) == (False, [{"url": "http://127.0.0.1:9999"}])


def test_a_draft_is_published_at_its_time() -> None:
    """It leaves the rows until then."""
    apply_document(DISABLED, actor=BERT, draft=True)
    schedule = add_draft(actor=ANNA, zone="UTC", starts_at=at(10), now=NOON)
    assert (bool(draft_changes()), PendingChange.objects.count()) == (False, 0)
    assert schedule.authors == ["bert", "anna"]
    run_due(at(10))
    assert (enabled(), state(schedule)) == (False, "done")


@pytest.mark.usefixtures("review")
def test_under_review_somebody_else_approves() -> None:
    """Neither who made it nor an author of the draft; unapproved it does not run, approved late it runs at once."""
    apply_document(DISABLED, actor=BERT)
    schedule = add_draft(actor=ANNA, zone="UTC", starts_at=at(10), now=NOON)
    assert (run_due(at(11)), state(schedule)) == (0, "waiting")
    for actor in (ANNA, BERT):
        with pytest.raises(PublishRefused, match="somebody else must approve"):
            approve(schedule.pk, actor=actor)
    approve(schedule.pk, actor=Actor("carla"))
    assert (run_due(at(12)), enabled()) == (1, False)
    assert Revision.objects.first().message == f"Schedule {schedule.pk} (approved by carla)"  # type: ignore[union-attr]


@pytest.mark.usefixtures("review")
def test_unapproved_past_its_end_it_is_missed() -> None:
    """With the reason."""
    schedule = planned()
    run_due(at(20))
    assert (state(schedule), enabled()) == ("missed", True)
    assert "nobody approved it" in schedule.note


def test_cancelled_before_it_begins_it_never_does() -> None:
    """And it cannot be cancelled twice."""
    schedule = planned()
    cancel(schedule.pk, actor=BERT, reason="no sale")
    assert (run_due(at(10)), state(schedule), schedule.note) == (0, "cancelled", "cancelled by bert: no sale")
    with pytest.raises(PublishRefused, match="cannot be cancelled"):
        cancel(schedule.pk, actor=BERT)


def test_cancelled_while_active_it_is_taken_back_now() -> None:
    """As at its end."""
    schedule = planned()
    run_due(at(10))
    cancel(schedule.pk, actor=BERT)
    assert (state(schedule), enabled(), run_due(at(20))) == ("done", True, 0)


@pytest.mark.parametrize(("starts", "until", "why"), [(10, 10, "end after"), (-20, -10, "has passed")])
def test_times_must_make_sense(starts: int, until: int, why: str) -> None:
    """Nothing is kept of what is refused."""
    with pytest.raises(PublishRefused, match=why):
        planned(starts=starts, until=until)
    assert Schedule.objects.count() == 0


@pytest.mark.parametrize("call", [approve, cancel])
@pytest.mark.parametrize("key", [0, 77, 2**70])
def test_a_schedule_must_exist(call: Any, key: int) -> None:
    with pytest.raises(PublishRefused, match="there is no schedule"):
        call(key, actor=ANNA)


def test_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that are open."""
    monkeypatch.setattr(scheduling, "MOST_OPEN", 1)
    planned()
    with pytest.raises(PublishRefused, match="scheduled already"):
        planned()


def test_one_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in conflict, with a note; the other one is carried out."""
    first, second = [
        planned({"version": 1, "routes": [{"name": "orders", "priority": number}]}, until=None)
        for number in (1, 2)
    ]
    carry_out = scheduling.publish_edits

    def broken(edits: Any, **given: Any) -> Any:
        if f"Schedule {first.pk}:" in given["message"]:
            raise ZeroDivisionError
        return carry_out(edits, **given)

    monkeypatch.setattr(scheduling, "publish_edits", broken)

    assert run_due(at(11)) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("conflict", "done")
    assert "whose log says why" in first.note
