"""Incidents and deliveries by the control API: what was wrong, and how the telling went."""

from datetime import UTC, datetime, timedelta

import pytest

from observability.alerts import recording
from observability.alerts.conditions import BREAKER, CRITICAL, TARGET, Condition
from observability.alerts.retrying import Result
from observability.models import AlertDelivery, AlertReceiver
from tests.support.control import Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPEN = Condition(BREAKER, "orders", "orders", "The breaker of orders is open", CRITICAL, {"cause": "reset"})
DOWN = Condition(TARGET, "a", "orders a", "A target of orders is down")


@pytest.fixture
def viewer() -> Control:
    """Somebody who may look, after a target was down and while a breaker is open."""
    AlertReceiver.objects.create(name="pager", url="https://hooks.example/x", least="critical")
    AlertReceiver.objects.create(name="all", url="https://hooks.example/y")
    recording.record([OPEN, DOWN], {BREAKER, TARGET}, NOW)
    recording.record([OPEN], {BREAKER, TARGET}, NOW + timedelta(minutes=1))
    return Control("vera", group="viewer")


def test_incidents(viewer: Control) -> None:
    """The latest first, narrowed by what goes on, by kind and by words."""
    down, still_open = viewer.call("get", "alerts/incidents").json()["incidents"]
    assert still_open == {
        "id": still_open["id"],
        "kind": "breaker",
        "severity": "critical",
        "subject": "orders",
        "summary": "The breaker of orders is open",
        "details": {"cause": "reset"},
        "since": "2026-01-01T12:00:00Z",
        "resolved_at": None,
    }
    assert down["resolved_at"] == "2026-01-01T12:01:00Z"
    for query, found in (
        ("firing=true", [still_open]),
        ("firing=false", [down]),
        ("kind=target", [down]),
        ("search=BREAKER", [still_open]),
        ("kind=slo", []),
    ):
        assert viewer.call("get", f"alerts/incidents?{query}").json()["incidents"] == found


def test_deliveries(viewer: Control) -> None:
    """Of every receiver, and how each stands."""
    waiting = AlertDelivery.objects.get(receiver__name="pager")
    recording.settle(waiting, Result(ok=True, status=204), NOW, 0.5)
    (sent,) = viewer.call("get", "alerts/deliveries?receiver=pager").json()["deliveries"]
    assert sent == {
        "message_id": waiting.message_id,
        "receiver": "pager",
        "event": "firing",
        "incident": waiting.incident_id,
        "state": "sent",
        "attempts": 1,
        "created_at": "2026-01-01T12:00:00Z",
        "next_at": None,
        "done_at": "2026-01-01T12:00:00Z",
        "status": 204,
        "error": "",
    }
    others = viewer.call("get", "alerts/deliveries?state=waiting").json()
    assert ([each["event"] for each in others["deliveries"]], others["total"]) == (
        ["resolved", "firing", "firing"],
        3,
    )
    assert others["deliveries"][0]["next_at"] == "2026-01-01T12:01:00Z"


@pytest.mark.parametrize("path", ["alerts/incidents", "alerts/deliveries"])
@pytest.mark.parametrize("query", ["kind=x", "state=x", "firing=x", "cursor=x", "limit=0", "other=1"])
def test_what_is_no_filter_is_refused(path: str, query: str, viewer: Control) -> None:
    assert viewer.call("get", f"{path}?{query}").status_code == 400


def test_who_may_look(viewer: Control) -> None:
    """As in admin."""
    nobody = Control("nora")
    for path in ("alerts/incidents", "alerts/deliveries"):
        assert viewer.call("get", path).status_code == 200
        assert nobody.call("get", path).status_code == 403
