"""The page of canaries: which share each has, its history, and an operator's word about it."""

import pytest
from django.test import Client
from django.urls import reverse

from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from resilience.models import CanaryEvent, CanaryState
from routing.canarying import begin, end_others
from tests.support.accesspages import dialog, listed
from tests.support.adminpages import messages, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/resilience/canarystate/"
HISTORY = "/admin/resilience/canaryevent/"
OPERATOR = ("routing.operate", "routing.view_service")


@pytest.fixture
def operator() -> Client:
    return signed_in("anna", permissions=OPERATOR)


@pytest.fixture
def canary() -> CanaryState:
    begin("shop", Wanted(CanaryPolicy(), "shop-next", "m"), 1, 1_700_000_000.0)
    return CanaryState.objects.get()


def act(what: str, canary: CanaryState) -> str:
    return reverse(f"admin:resilience_canarystate_{what}", args=[canary.pk])


def test_list_shows_how_they_stand(operator: Client, canary: CanaryState) -> None:
    """Those that are configured."""
    CanaryState.objects.update(canary=[7, 2, {}])
    text = operator.get(LIST).content.decode()
    for part in ("shop-next", "running", "5 %", "1 of 4", "2 of 7", "it began"):
        assert part in text
    end_others(set(), 2, 1_700_000_000.0)
    assert listed(operator, LIST) == []
    assert canary.route in operator.get(HISTORY).content.decode()


def test_an_operator_steers_in_dialogs(operator: Client, canary: CanaryState) -> None:
    """With a reason, which its page shows with who gave it."""
    for what, stage in (
        ("pause", "paused"),
        ("resume", "running"),
        ("promote", "promoted"),
        ("roll_back", "rolled_back"),
        ("restart", "running"),
    ):
        dialog(operator, act(what, canary), reason=f"drill {what}")
        canary.refresh_from_db()
        assert (canary.stage, canary.by) == (stage, "anna")
    text = operator.get(reverse("admin:resilience_canarystate_change", args=[canary.pk])).content.decode()
    for part in ("drill promote", "rolled back", "system", "anna"):
        assert part in text


def test_what_means_nothing_is_told(operator: Client, canary: CanaryState) -> None:
    """And nothing is written."""
    dialog(operator, act("resume", canary), reason="x")
    assert any("means nothing there" in message for message in messages(operator.get(LIST)))
    assert CanaryEvent.objects.count() == 1
