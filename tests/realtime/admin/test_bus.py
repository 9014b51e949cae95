"""The pages of the outbox and of dead letters."""

import pytest
from django.test import Client
from django.urls import reverse

from realtime.bus import kept
from realtime.models import DeadLetter, WaitingEvent
from tests.support.accesspages import choose, dialog, listed
from tests.support.adminpages import signed_in
from tests.support.buses import message

pytestmark = [pytest.mark.store, pytest.mark.django_db]
DEAD = "/admin/realtime/deadletter/"
OUTBOX = "/admin/realtime/waitingevent/"


@pytest.fixture
def operator() -> Client:
    return signed_in("anna", permissions=("routing.operate",))


def letters(number: int) -> list[DeadLetter]:
    for each in range(number):
        kept.bury(message(each, body=b'{"token":"hunter2","x":"<b>"}'), "no <i>use</i>", "in")
    return list(DeadLetter.objects.order_by("pk"))


def test_what_waits_is_listed_in_its_order(operator: Client) -> None:
    """And can only be looked at."""
    kept.put([message(1, headers={"x-consumer": "ada"}), message(2)])
    assert [row.event_id for row in listed(operator, OUTBOX)] == ["e1", "e2"]
    first = WaitingEvent.objects.order_by("pk")[0]
    assert "x-consumer: ada" in operator.get(f"{OUTBOX}{first.pk}/change/").content.decode()
    assert operator.post(f"{OUTBOX}{first.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_dead_letter_shows_why_and_no_secret(operator: Client) -> None:
    """Nor does it write HTML."""
    (row,) = letters(1)
    for page in (DEAD, f"{DEAD}{row.pk}/change/"):
        text = operator.get(page).content.decode()
        assert "no &lt;i&gt;use" in text
        assert "hunter2" not in text
        assert "<b>" not in text


def test_operators_send_again_and_throw_away(operator: Client) -> None:
    """One in a dialog, several after they were asked."""
    one, two, three, four, five, six = letters(6)
    dialog(operator, reverse("admin:realtime_deadletter_send", args=[one.pk]), reason="")
    choose(operator, DEAD, "send_selected", [two, three], confirmed="1", reason="")
    assert [row.event_id for row in WaitingEvent.objects.order_by("pk")] == ["e0", "e1", "e2"]
    dialog(operator, reverse("admin:realtime_deadletter_throw", args=[four.pk]), reason="")
    choose(operator, DEAD, "throw_selected", [five], confirmed="1", reason="")
    assert list(DeadLetter.objects.all()) == [six]


def test_others_look_at_most() -> None:
    (row,) = letters(1)
    viewer = signed_in("vera", permissions=("authproxy.view_limitedcaller",))
    assert viewer.get(DEAD).status_code == 200
    for name in ("send", "throw"):
        viewer.post(reverse(f"admin:realtime_deadletter_{name}", args=[row.pk]), {"_form_submitted": "True"})
        viewer.post(DEAD, {"action": f"{name}_selected", "_selected_action": [row.pk], "confirmed": "1"})
    assert list(DeadLetter.objects.all()) == [row]
    assert signed_in("otto", permissions=("routing.view_plan",)).get(DEAD).status_code == 403
