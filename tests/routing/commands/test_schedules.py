"""`gateway schedule list`, `add`, `approve` and `cancel`."""

from pathlib import Path

import pytest

from routing import publishing, scheduling
from routing.drafts import Actor
from routing.models import Schedule
from routing.publishing import apply_document
from tests.support.cli import gateway, written
from tests.support.configuration import route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
WHEN = ("--from", "2090-07-15 09:00", "--zone", "Europe/Berlin")
OFF = {"version": 1, "routes": [{"name": "orders", "enabled": False}]}


@pytest.fixture(autouse=True)
def live() -> None:
    apply_document(small(), actor=Actor("first"))


def test_a_change_is_scheduled_listed_and_cancelled(tmp_path: Path) -> None:
    """Each says how it stands."""
    assert gateway("schedule", "list").out == "nothing is scheduled\n"
    file = written(tmp_path, OFF)
    ran = gateway(
        "schedule", "add", "--file", file, *WHEN, "--until", "2090-07-15 10:00", "-m", "sale", "--as", "anna"
    )
    assert (ran.code, ran.err) == (0, "")
    assert 'from 2090-07-15 09:00 CEST  until 2090-07-15 10:00 CEST  route "orders" enabled' in ran.out
    number = gateway("schedule", "list", "--json").data[0]["id"]
    assert gateway("schedule", "cancel", str(number), "--as", "bert", "--json").data["state"] == "cancelled"
    assert "[cancelled by bert]" in gateway("schedule", "list").out


def test_a_draft_is_scheduled_and_approved_under_review(monkeypatch: pytest.MonkeyPatch) -> None:
    """By somebody else."""
    for module in (publishing, scheduling):
        monkeypatch.setattr(module, "under_review", lambda: True)
    apply_document({"version": 1, "routes": [route(timeout="5s")]}, actor=Actor("anna"))
    gateway("schedule", "add", "--draft", *WHEN, "--as", "carla")
    number = str(Schedule.objects.get().pk)
    refused = gateway("schedule", "approve", number, "--as", "anna")
    assert (refused.code, "somebody else must approve" in refused.err) == (1, True)
    assert "approved by bert" in gateway("schedule", "approve", number, "--as", "bert").out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--from", "2030-03-31 02:30", "--zone", "Europe/Berlin"), "does not exist"),
        (("--from", "2029-10-28 02:30", "--zone", "Europe/Berlin"), "comes twice"),
        (("--from", "2090-01-01 00:00", "--zone", "Mars/Base"), "not a time zone"),
    ],
)
def test_unclear_times_are_refused(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    """In one line."""
    ran = gateway("schedule", "add", "--file", written(tmp_path, OFF), *arguments)
    assert (ran.code, why in ran.err, Schedule.objects.count()) == (1, True, 0)
