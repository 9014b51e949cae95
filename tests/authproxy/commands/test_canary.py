"""`gateway canary list`, `pause`, `resume`, `promote`, `rollback` and `restart`."""

import pytest

from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from resilience.models import CanaryEvent
from routing.canarying import begin
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def canary() -> None:
    begin("r", Wanted(CanaryPolicy(), "new", "m"), 1, 1_700_000_000.0)


def test_an_operator_steers() -> None:
    """The history says who."""
    for word, said in (
        ("pause", "r: paused at 5 %\n"),
        ("resume", "r: running at 5 %\n"),
        ("promote", "r: promoted at 100 %\n"),
        ("rollback", "r: rolled back at 0 %\n"),
        ("restart", "r: running at 5 %\n"),
    ):
        ran = gateway("canary", word, "r", "--reason", "drill", "--as", "anna")
        assert (ran.code, ran.out) == (0, said)
    found = list(CanaryEvent.objects.order_by("pk").values_list("by", "reason"))
    assert found == [("system", "it began"), *[("anna", "drill")] * 5]


def test_people_get_a_line_each_and_programs_json() -> None:
    """With its share, and when the next step may begin."""
    [line] = gateway("canary", "list").out.splitlines()
    for part in ("running", "5 % to new", "step 1 of 4", "next at 2023-11-14T22:23:20Z", "by system"):
        assert part in line
    [row] = gateway("canary", "list", "--json").data
    assert (row["route"], row["percent"]) == ("r", 5.0)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("pause", "x"), "there is no canary"),
        (("resume", "r"), "the canary is running: resume means nothing"),
    ],
)
def test_what_means_nothing_is_refused(arguments: tuple[str, ...], why: str) -> None:
    """In a line."""
    ran = gateway("canary", *arguments)
    assert ran.code != 0
    assert why in ran.err
