"""`gateway breaker list`, `open`, `close`, `release` and `reset`."""

import pytest

from resilience.models import BreakerState, BreakerTransition
from routing.drafts import Actor
from routing.models import Service
from routing.publishing import apply_document
from tests.support.cli import gateway
from tests.support.configuration import service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def shop() -> Service:
    return Service.objects.create(name="shop")


def test_an_operator_forces_and_releases() -> None:
    """With a reason and an end; the history says who."""
    ran = gateway("breaker", "open", "shop", "--reason", "maintenance", "--until", "30m", "--as", "anna")
    assert (ran.code, ran.out) == (0, "shop: forced open\n")
    row = BreakerState.objects.get()
    assert (row.forced, row.reason, row.forced_by, row.forced_until is not None) == (
        "open",
        "maintenance",
        "anna",
        True,
    )
    assert gateway("breaker", "close", "shop", "--as", "bert").out == "shop: forced closed\n"
    assert gateway("breaker", "release", "shop", "--as", "bert").out == "shop: no longer forced\n"
    assert BreakerState.objects.get().forced == ""
    assert gateway("breaker", "reset", "shop", "--as", "bert").out == "shop: reset\n"
    found = BreakerTransition.objects.order_by("pk").values_list("after", "cause", "by")
    assert list(found) == [
        ("open", "forced", "anna"),
        ("closed", "forced", "bert"),
        ("closed", "the force ended", "bert"),
        ("closed", "reset", "bert"),
    ]


def test_people_get_a_line_each_and_programs_json() -> None:
    """Of every breaker."""
    BreakerState.objects.create(service="quiet")
    made = gateway(
        "breaker", "open", "shop", "--reason", "drill", "--until", "2100-01-01", "--as", "anna", "--json"
    )
    quiet, shop = gateway("breaker", "list").out.splitlines()
    assert quiet.split() == ["quiet", "closed"]
    for part in ("open", "forced by anna", "until 2100-01-02T00:00:00Z", "(drill)"):
        assert part in shop
    assert gateway("breaker", "list", "--json").data[1] == made.data


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("open", "shpo"), 'there is no service "shpo"'),
        (("reset", "shpo"), 'there is no service "shpo"'),
        (("open", "shop", "--until", "2020-01-01"), "must be in the future"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments: tuple[str, ...], why: str) -> None:
    """And changes nothing."""
    ran = gateway("breaker", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert ran.err.count("\n") == 1
    assert not BreakerState.objects.exclude(forced="", resets=0).exists()


def test_a_service_without_a_breaker_has_none_to_force() -> None:
    """Nobody believes that it is shut off."""
    apply_document({"version": 1, "services": [service("shop")]}, actor=Actor("ada"))
    ran = gateway("breaker", "open", "shop")
    assert (ran.code, ran.out) == (1, "")
    assert "shop has no breaker to force" in ran.err
    assert not BreakerState.objects.exists()
