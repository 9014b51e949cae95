"""The pages of alerts: receivers with write-only secrets, tests by a dialog, and what became of messages."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from observability.alerts import recording
from observability.alerts.conditions import BREAKER
from observability.alerts.secrets import unsealed
from observability.models import AlertDelivery, AlertReceiver, Incident
from tests.support.adminpages import errors, signed_in, viewer
from tests.support.alerting import OPEN, SECRET, hook_receiver

pytestmark = pytest.mark.django_db
HOOK = {
    "name": "ops",
    "kind": "webhook",
    "enabled": "on",
    "url": "https://h.test/secret-token",
    "least": "warning",
}


@pytest.fixture
def admin() -> Client:
    return signed_in()


def receivers(action: str, *keys: Any) -> str:
    return reverse(f"admin:observability_alertreceiver_{action}", args=keys)


def test_a_secret_that_the_gateway_makes_is_shown_once(admin: Client) -> None:
    """On the page after saving, and never again; nor is it in the row as it is."""
    answer = admin.post(receivers("add"), HOOK, follow=True)
    row = AlertReceiver.objects.get()
    made = unsealed(bytes(row.sealed))
    assert made is not None
    assert made.startswith("whsec_")
    assert made in answer.content.decode()
    for url in (receivers("changelist"), receivers("change", row.pk)):
        assert made not in admin.get(url).content.decode()


def test_a_secret_stays_until_another_is_written(admin: Client) -> None:
    """An empty field changes nothing."""
    row = hook_receiver("https://h.test/")
    assert admin.post(receivers("change", row.pk), HOOK).status_code == 302
    row.refresh_from_db()
    assert unsealed(bytes(row.sealed)) == SECRET
    other = SECRET.replace("c3Nz", "dHR0")
    assert admin.post(receivers("change", row.pk), HOOK | {"secret": other}).status_code == 302
    row.refresh_from_db()
    assert unsealed(bytes(row.sealed)) == other


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://h"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "http://h:99999/"}, "url"),
        ({"secret": "short"}, "secret"),
        ({"alerts": ["other"]}, "alerts"),
        ({"kind": "email", "addresses": ""}, "addresses"),
        ({"kind": "email", "addresses": "nobody"}, "addresses"),
        ({"kind": "email", "addresses": "a@example.org"}, "kind"),
    ],
)
def test_what_is_refused(admin: Client, settings: Any, changes: dict[str, Any], field: str) -> None:
    """At its field; e-mail needs a server."""
    settings.EMAIL_HOST = "" if field == "kind" else "127.0.0.1"
    assert field in errors(admin.post(receivers("add"), HOOK | changes))
    assert not AlertReceiver.objects.exists()


def test_a_test_is_sent_by_a_dialog(admin: Client) -> None:
    """It goes the way of all messages; to one that is switched off nothing goes."""
    row = hook_receiver("https://h.test/")
    there = receivers("send_test", row.pk)
    assert AlertDelivery.objects.count() == 0
    assert "Send a test message?" in admin.get(there).content.decode()
    assert AlertDelivery.objects.count() == 0
    admin.post(there, {"_form_submitted": "1"})
    assert AlertDelivery.objects.get().event == "test"
    AlertReceiver.objects.update(enabled=False)
    admin.post(there, {"_form_submitted": "1"})
    assert AlertDelivery.objects.count() == 1


def test_viewers_see_who_is_told_but_no_token() -> None:
    """A URL may hold one."""
    row = hook_receiver("https://h.test/secret-token")
    recording.record([OPEN], {BREAKER}, timezone.now())
    client = viewer()
    for url in (receivers("changelist"), receivers("change", row.pk)):
        text = client.get(url).content.decode()
        assert "https://h.test/…" in text
        assert "secret-token" not in text
    for kind in ("incident", "alertdelivery"):
        text = client.get(reverse(f"admin:observability_{kind}_changelist")).content.decode()
        assert "The breaker of orders is open" in text
        assert "secret-token" not in text
    there = reverse("admin:observability_incident_change", args=[Incident.objects.get().pk])
    assert client.get(there).status_code == 200


def test_a_delivery_shows_its_last_error(admin: Client) -> None:
    """And the receiver's list does, too."""
    row = hook_receiver("https://h.test/")
    recording.test(row, timezone.now())
    AlertDelivery.objects.update(error="status 502", attempts=2)
    AlertReceiver.objects.update(dropped=4)
    assert "status 502" in admin.get(reverse("admin:observability_alertdelivery_changelist")).content.decode()
    text = admin.get(receivers("changelist")).content.decode()
    assert "status 502" in text
    assert "1, 4 dropped" in text
