"""The page of breakers: how each stands, its history, and an operator's word about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from resilience.models import BreakerState, BreakerTransition
from routing.drafts import Actor
from routing.models import Service
from routing.ordering import OrderRefused
from routing.publishing import apply_document
from tests.support import configuration
from tests.support.accesspages import dialog, listed
from tests.support.adminpages import messages, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/resilience/breakerstate/"
HISTORY = "/admin/resilience/breakertransition/"
OPERATOR = ("routing.operate", "routing.view_service")


@pytest.fixture
def operator() -> Client:
    return signed_in("anna", permissions=OPERATOR)


@pytest.fixture
def shop() -> BreakerState:
    Service.objects.create(name="shop")
    return BreakerState.objects.create(service="shop")


def act(what: str, breaker: BreakerState) -> str:
    return reverse(f"admin:resilience_breakerstate_{what}", args=[breaker.pk])


def test_list_shows_how_they_stand(operator: Client) -> None:
    """Counts of a window that is over are not shown."""
    now = timezone.now()
    more = {"requests": 9, "failures": 5, "window_s": 60.0}
    BreakerState.objects.create(service="shop", state="half_open", counted_at=now, **more)
    BreakerState.objects.create(service="chat", counted_at=now - timedelta(hours=1), **more)
    BreakerState.objects.create(
        service="mail", forced="open", forced_by="bert", reason="drill", forced_until=now + timedelta(hours=1)
    )
    text = operator.get(LIST).content.decode()
    assert text.count("5 of 9") == 1
    for part in ("half open", "open by bert", "drill"):
        assert part in text
    assert [row.service for row in listed(operator, LIST)] == ["chat", "mail", "shop"]
    assert [row.service for row in listed(operator, LIST, "q=bert")] == ["mail"]
    assert [row.service for row in listed(operator, LIST, "state__exact=half_open")] == ["shop"]


def test_page_shows_errors_and_history(operator: Client, shop: BreakerState) -> None:
    """The newest first; of others nothing."""
    at = datetime(2030, 1, 1, 12, tzinfo=UTC)
    BreakerState.objects.filter(pk=shop.pk).update(errors=[[at.timestamp(), "<b>connect_refused</b>"]])
    for service, by in (("shop", "bert"), ("other", "carla")):
        BreakerTransition.objects.create(
            service=service, at=at, before="closed", after="open", cause="forced", by=by, reason="drill"
        )
    text = operator.get(reverse("admin:resilience_breakerstate_change", args=[shop.pk])).content.decode()
    assert "&lt;b&gt;connect_refused" in text
    assert "Please correct" not in text
    assert "bert" in text
    assert "carla" not in text
    quiet = BreakerState.objects.create(service="quiet")
    text = operator.get(reverse("admin:resilience_breakerstate_change", args=[quiet.pk])).content.decode()
    assert "It has always been closed." in text


def test_an_operator_forces_in_a_dialog(operator: Client, shop: BreakerState) -> None:
    """With a reason and for a while; then releases it."""
    dialog(operator, act("force_open", shop), reason="maintenance", duration="30m")
    shop.refresh_from_db()
    assert (shop.forced, shop.reason, shop.forced_by) == ("open", "maintenance", "anna")
    assert shop.forced_until is not None
    assert timedelta(minutes=29) < shop.forced_until - timezone.now() <= timedelta(minutes=30)
    dialog(operator, act("force_closed", shop), duration="")
    shop.refresh_from_db()
    assert (shop.forced, shop.forced_until) == ("closed", None)
    dialog(operator, act("release", shop), reason="done")
    shop.refresh_from_db()
    assert shop.forced == ""
    assert [row.after for row in listed(operator, HISTORY)] == ["closed", "closed", "open"]


def test_an_operator_resets(operator: Client, shop: BreakerState) -> None:
    """And is told when it is live."""
    BreakerState.objects.filter(pk=shop.pk).update(state="open")
    response = operator.post(act("reset", shop), {"_form_submitted": "True"}, follow=True)
    assert messages(response) == ["shop: closed, live everywhere within a second."]
    shop.refresh_from_db()
    assert (shop.state, shop.resets) == ("closed", 1)


@pytest.mark.parametrize("duration", ["soon", "-5m", "5"])
def test_a_duration_that_is_none_is_asked_for_again(
    operator: Client, shop: BreakerState, duration: str
) -> None:
    """In the dialog."""
    response = operator.post(act("force_open", shop), {"_form_submitted": "True", "duration": duration})
    assert "Write a duration" in response.content.decode()
    shop.refresh_from_db()
    assert shop.forced == ""


def test_what_is_refused_is_told(
    operator: Client, shop: BreakerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may be away just then."""
    from routing import breaking

    def refuse(*_: Any, **__: Any) -> None:
        raise OrderRefused("service", "it is gone")

    monkeypatch.setattr(breaking, "reset", refuse)
    response = operator.post(act("reset", shop), {"_form_submitted": "True"}, follow=True)
    assert messages(response) == ["Nothing was changed: it is gone"]
    assert operator.post(act("reset", BreakerState(pk=999)), {"_form_submitted": "True"}).status_code == 404


def test_forcing_what_the_service_does_not_have_is_told(operator: Client, shop: BreakerState) -> None:
    """It was switched off after it had been listed."""
    apply_document({"version": 1, "services": [configuration.service("shop")]}, actor=Actor("ada"))
    response = operator.post(act("force_open", shop), {"_form_submitted": "True"}, follow=True)
    (told,) = messages(response)
    assert told.startswith("Nothing was changed: shop has no breaker to force")
    shop.refresh_from_db()
    assert shop.forced == ""


def test_who_may_see_services_may_look_and_not_steer(shop: BreakerState) -> None:
    """Others see nothing; nobody adds, changes or deletes by hand."""
    viewer = signed_in("vera", permissions=("routing.view_service",))
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(HISTORY).status_code == 200
    assert viewer.post(act("force_open", shop), {"_form_submitted": "True"}).status_code == 403
    other = signed_in("olga", permissions=("routing.view_route",))
    assert other.get(LIST).status_code == 403
    shop.refresh_from_db()
    assert shop.forced == ""
    root = signed_in("root")
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.get(f"{LIST}{shop.pk}/delete/").status_code == 403
