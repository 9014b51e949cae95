"""Rows that are replayed: which ones, for how long, and by which configurations."""

from datetime import timedelta

import pytest

from observability.models import KeptRequest
from observability.replay import replaying
from observability.replay.replaying import Busy, Span, replay
from routing.drafts import Actor
from routing.explaining import NoRevision
from routing.publishing import apply_document
from tests.support.configuration import route, service, small
from tests.support.kept import AT, kept

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA = Actor("anna")
DRAFT = {"version": 1, "services": [service("users", 8002)], "routes": [route(to="users")]}


@pytest.fixture(autouse=True)
def world() -> None:
    replaying._kept.clear()
    apply_document(small(), actor=ANNA)


def made(number: int, **fields: object) -> None:
    KeptRequest.objects.bulk_create(
        kept(f"/orders/{at}", after_s=at, service="orders", **fields) for at in range(number)
    )


def test_the_draft_and_a_revision() -> None:
    """Both are compared with what is live."""
    made(3)
    apply_document(DRAFT, actor=ANNA, draft=True)
    found = replay("draft", Span())
    assert (found.against, found.live, found.replayed) == ("draft", 1, 3)
    assert dict(found.counts) == {"elsewhere": 3}
    assert [item.url for item in found.items] == ["/orders/2", "/orders/1", "/orders/0"]
    assert dict(replay(1, Span()).counts) == {"same": 3}
    apply_document(DRAFT, actor=ANNA)
    back = replay(1, Span())
    assert (back.live, dict(back.counts), back.items[0].judgement.after.service) == (
        2,
        {"elsewhere": 3},
        "orders",
    )
    with pytest.raises(NoRevision):
        replay(9, Span())


def test_which_requests() -> None:
    """The newest of a time, or certain rows."""
    made(5)
    assert replay("draft", Span(most=2)).replayed == 2
    assert replay("draft", Span(since=AT + timedelta(seconds=3))).replayed == 2
    found = replay("draft", Span(most=4))
    again = replay("draft", Span(first=found.first, last=found.last))
    assert (again.replayed, again.since, again.until) == (
        4,
        AT + timedelta(seconds=1),
        AT + timedelta(seconds=4),
    )
    assert replay("draft", Span(since=AT + timedelta(days=1))).replayed == 0


def test_a_result_is_kept_until_something_changes() -> None:
    """The draft, what is live, or which requests."""
    made(2)
    first = replay("draft", Span())
    assert replay("draft", Span()) is first
    apply_document(DRAFT, actor=ANNA, draft=True)
    second = replay("draft", Span())
    assert dict(second.counts) == {"elsewhere": 2}
    made(1)
    assert replay("draft", Span()).replayed == 3


def test_it_takes_turns_and_ends_in_time() -> None:
    """Every two milliseconds others may come between; what is over is said to be."""
    made(40)
    now, pauses = [0.0], []

    def clock() -> float:
        now[0] += 0.001
        return now[0]

    found = replay("draft", Span(), budget_s=0.02, clock=clock, pause=pauses.append)
    assert (found.is_complete, found.wanted) == (False, 40)
    assert 5 < found.replayed < 20
    assert len(pauses) >= found.replayed // 3


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits too long is told."""
    monkeypatch.setattr(replaying, "WAIT_S", 0.01)
    with replaying._lock, pytest.raises(Busy, match="Another replay"):
        replay("draft", Span())
    assert replay("draft", Span()).replayed == 0


def test_rows_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them once, the newest first, and none that lies between them and was not asked for."""
    monkeypatch.setattr(replaying, "_PIECE", 2)
    made(3)
    KeptRequest.objects.bulk_create(
        kept(f"/orders/{name}", after_s=at, service="orders") for name, at in (("old", -9), ("new", 9))
    )
    apply_document(DRAFT, actor=ANNA, draft=True)
    found = replay("draft", Span(since=AT))
    assert [item.url for item in found.items] == ["/orders/new", "/orders/2", "/orders/1", "/orders/0"]
    assert found.counts.get("elsewhere") == found.wanted == 4


def test_what_only_sqlite_keeps() -> None:
    """Half of a surrogate pair, where the quick reader of JSON gives up."""
    assert replaying._read('{"headers": [["x-a", "\\ud800"]]}') == {"headers": [["x-a", "\ud800"]]}
