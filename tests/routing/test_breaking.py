"""What operators do to breakers: one row, one line of history, one event, whichever door it came through."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from resilience.breaker import State
from resilience.models import BreakerState, BreakerTransition
from routing import breaking
from routing.admin import snapshots
from routing.breaking import BreakerOrdered
from routing.drafts import Actor
from routing.models import Service
from routing.ordering import OrderConflict, OrderRefused
from routing.publishing import apply_document

pytestmark = [pytest.mark.store, pytest.mark.django_db]
CLOSED, OPEN, HALF_OPEN = State


@pytest.fixture(autouse=True)
def shop() -> Service:
    return Service.objects.create(name="shop")


@pytest.fixture
def heard() -> Iterator[list[BreakerOrdered]]:
    events: list[BreakerOrdered] = []
    unbind = breaking.bind(events.append)
    yield events
    unbind()
    unbind()


def history() -> list[tuple[str, ...]]:
    columns = ("before", "after", "cause", "by", "reason")
    return list(BreakerTransition.objects.order_by("pk").values_list(*columns))


def test_a_force_is_a_row_a_line_and_an_event(
    heard: list[BreakerOrdered], django_capture_on_commit_callbacks: Any
) -> None:
    """With who, why and until when; taken back, nothing of it is left but the history."""
    until = timezone.now() + timedelta(hours=1)
    with django_capture_on_commit_callbacks(execute=True):
        row = breaking.force("shop", OPEN, by="anna", reason="maintenance", until=until)
    row.refresh_from_db()
    assert (row.effective, row.state, row.forced_by, row.reason) == ("open", "closed", "anna", "maintenance")
    assert (row.forced_until, row.forced_at is not None) == (until, True)
    with django_capture_on_commit_callbacks(execute=True):
        row = breaking.force("shop", None, by="bert", reason="done")
    row.refresh_from_db()
    assert (row.effective, row.forced_by, row.reason, row.forced_until) == ("closed", "", "", None)
    assert history() == [
        ("closed", "open", "forced", "anna", "maintenance"),
        ("open", "closed", "the force ended", "bert", "done"),
    ]
    assert heard == [
        BreakerOrdered("shop", OPEN, False, "anna", "maintenance", until),
        BreakerOrdered("shop", None, False, "bert", "done", None),
    ]


def test_a_reset_closes_what_is_measured(
    heard: list[BreakerOrdered], django_capture_on_commit_callbacks: Any
) -> None:
    """Each counts, so that every worker sees each; what is forced stays forced."""
    BreakerState.objects.create(service="shop", state="open", requests=9, failures=5)
    with django_capture_on_commit_callbacks(execute=True):
        row = breaking.reset("shop", by="anna", reason="fixed")
    row.refresh_from_db()
    assert (row.state, row.cause, row.requests, row.failures, row.resets) == ("closed", "reset", 0, 0, 1)
    breaking.force("shop", OPEN, by="anna")
    assert breaking.reset("shop", by="anna").resets == 2
    assert BreakerState.objects.get().effective == "open"
    assert history()[0] == ("open", "closed", "reset", "anna", "fixed")
    assert heard == [BreakerOrdered("shop", None, True, "anna", "fixed", None)]


@pytest.mark.parametrize(
    ("service", "state", "age", "field"),
    [
        ("shopp", OPEN, None, "service"),
        ("shop", HALF_OPEN, None, "force"),
        ("shop", OPEN, -1, "until"),
        ("shop", OPEN, 0, "until"),
        ("shop", None, 60, "until"),
    ],
)
def test_what_makes_no_sense_is_refused(
    service: str, state: State | None, age: int | None, field: str
) -> None:
    """And leaves no trace."""
    until = timezone.now() + timedelta(seconds=age) if age is not None else None
    with pytest.raises(OrderRefused) as refused:
        breaking.force(service, state, by="anna", until=until)
    assert refused.value.field == field
    assert not BreakerState.objects.exists()
    assert history() == []


def test_an_unknown_service_is_refused_with_a_hint() -> None:
    """One that is gone but has a breaker can still be reset."""
    with pytest.raises(OrderRefused, match="shop"):
        breaking.reset("shpo", by="anna")
    BreakerState.objects.create(service="gone")
    assert breaking.reset("gone", by="anna").resets == 1


def test_texts_fit_whatever_somebody_typed() -> None:
    """Too long, and with what PostgreSQL refuses."""
    row = breaking.force("shop", OPEN, by="x" * 999, reason="a\0b" * 999)
    row.refresh_from_db()
    assert (len(row.forced_by), len(row.reason), "\0" in row.reason) == (200, 500, False)


def test_what_is_over_is_taken_back_once() -> None:
    """By whichever worker comes first; what goes on is left alone."""
    now = datetime.now(UTC)
    BreakerState.objects.create(service="shop", forced="open", forced_until=now, forced_by="anna", reason="r")
    BreakerState.objects.create(service="later", forced="open", forced_until=now + timedelta(seconds=9))
    BreakerState.objects.create(service="always", forced="open")
    assert [breaking.release_expired(now) for _ in range(2)] == [1, 0]
    row = BreakerState.objects.get(service="shop")
    assert (row.forced, row.forced_by, row.reason, row.forced_until) == ("", "", "", None)
    assert BreakerState.objects.exclude(forced="").count() == 2
    assert history() == [("open", "closed", "the force ended", "", "")]


@pytest.fixture(autouse=True)
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a revision was compiled under the settings of then."""
    monkeypatch.setattr(snapshots, "_kept", {})


def lively(breaker: dict[str, Any] | None) -> None:
    """The service is live, with this section."""
    section = {} if breaker is None else {"breaker": breaker}
    services = [{"name": "shop", "targets": [{"url": "http://127.0.0.1:9"}], **section}]
    apply_document({"version": 1, "services": services}, actor=Actor("ada"))


@pytest.mark.parametrize("breaker", [None, {"enabled": False}])
@pytest.mark.parametrize("state", [OPEN, CLOSED])
def test_what_would_hold_nothing_is_refused(state: State, breaker: dict[str, Any] | None) -> None:
    """And nothing is written down. What was forced before can be taken back all the same."""
    lively(breaker)
    with pytest.raises(OrderConflict, match="enabled: true"):
        breaking.force("shop", state, by="anna")
    assert not BreakerState.objects.exists()
    assert history() == []
    BreakerState.objects.create(service="shop", forced="open")
    assert breaking.force("shop", None, by="anna").forced == ""


def test_breakers_that_the_environment_switched_off_cannot_be_forced(
    settings: Any,
) -> None:
    """Whatever the configuration says; the refusal names the variable."""
    settings.CONFIG = replace(settings.CONFIG, circuit_breaker_enabled=False)
    lively({})
    with pytest.raises(OrderConflict, match="CIRCUIT_BREAKER_ENABLED"):
        breaking.force("shop", OPEN, by="anna")


def test_a_breaker_of_the_configuration_can_be_forced() -> None:
    """As soon as it is live."""
    lively({})
    assert breaking.force("shop", OPEN, by="anna").effective == "open"
