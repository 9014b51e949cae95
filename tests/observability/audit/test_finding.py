"""Events are found by who, what, which and when, the newest first."""

from datetime import timedelta

import pytest
from django.utils import timezone

from observability.audit import finding
from observability.audit.finding import Wanted, as_json, find, further, in_order, line
from observability.models import AuditEvent
from routing.auditing import Deed, Origin, coming_from, record

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _trail() -> None:
    with coming_from(Origin("api")):
        record(Deed("breaker.force", (("services", "orders"),), "anna", "It burns"))
    record(Deed("configuration.publish", (("routes", "orders"), ("routes", "home")), "bert"))
    record(Deed("key.revoke", (("api key", "tor_abc"),), "anna"))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [3, 2, 1]),
        (Wanted(actor="anna"), [3, 1]),
        (Wanted(name="orders"), [2, 1]),
        (Wanted(kind="routes", name="orders"), [2]),
        (Wanted(kind="services"), [1]),
        (Wanted(action="key.revoke"), [3]),
        (Wanted(door="api"), [1]),
        (Wanted(text="it BURNS"), [1]),
        (Wanted(text="orders"), [2, 1]),
        (Wanted(before=3), [2, 1]),
        (Wanted(since=timezone.now() - timedelta(hours=1)), [3, 2, 1]),
        (Wanted(since=timezone.now() + timedelta(hours=1)), []),
        (Wanted(until=timezone.now() - timedelta(hours=1)), []),
        (Wanted(actor="\0"), []),
    ],
)
def test_filters(wanted: Wanted, numbers: list[int]) -> None:
    assert [row.pk for row in find(wanted)] == numbers
    assert [row.pk for row in in_order(wanted)] == numbers[::-1]


def test_an_event_is_told_in_a_line_and_as_json() -> None:
    row = AuditEvent.objects.get(pk=1)
    assert line(row).split("  ")[-5:] == [
        "breaker.force",
        "anna",
        "api",
        "force: services orders",
        "It burns",
    ]
    assert as_json(row)["objects"] == [{"kind": "services", "name": "orders"}]


@pytest.mark.parametrize(
    ("wanted", "found", "stopped"),
    [
        (Wanted(text="orders"), [2], 2),
        (Wanted(text="orders", before=2), [1], None),
        (Wanted(text="burns"), [], 2),
        (Wanted(text="burns", actor="anna"), [], 2),
        (Wanted(text="home", actor="bert"), [2], None),
        (Wanted(actor="anna"), [3, 1], None),
        (Wanted(text="\0"), [], None),
    ],
)
def test_a_search_for_words_says_where_it_stopped(
    wanted: Wanted, found: list[int], stopped: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what the other filters leave; before that number it goes on."""
    monkeypatch.setattr(finding, "SEARCHED", 2)
    assert ([row.pk for row in find(wanted)], further(wanted)) == (found, stopped)


def test_all_that_is_wanted_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who exports a million events wants the newest of them."""
    monkeypatch.setattr(finding, "SEARCHED", 1)
    assert [row.pk for row in in_order(Wanted(text="orders"))] == [1, 2]
