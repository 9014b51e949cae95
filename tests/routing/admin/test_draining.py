"""Operators drain targets in a dialog, without the right to change services."""

import json

import pytest
from django.test import Client

from routing.admin import draining
from routing.drafts import Actor
from routing.models import Revision, Service, Target
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in, viewer
from tests.support.configuration import route, service

pytestmark = [pytest.mark.store, pytest.mark.django_db]
OPERATOR = ("routing.operate", "routing.view_service")


@pytest.fixture(autouse=True)
def world() -> None:
    targets = [{"url": "http://a"}, {"url": "http://b"}, {"url": "http://c", "drain": True}]
    services = [service("s", targets=targets), service("other", targets=[{"url": "http://o"}])]
    apply_document({"version": 1, "services": services, "routes": [route("r", to="s")]}, actor=Actor("first"))


@pytest.fixture
def operator() -> Client:
    return signed_in("olga", permissions=OPERATOR)


def dialog() -> str:
    return page("service", "drain", Service.objects.get(name="s").pk)


def key(url: str) -> str:
    return str(Target.objects.get(url=url).pk)


def sent(client: Client, *urls: str, reason: str = "") -> int:
    data = {"_form_submitted": "on", "reason": reason, "draining": [key(url) for url in urls]}
    return client.post(dialog(), data).status_code


def draining_now() -> set[str]:
    return set(Target.objects.filter(drain=True).values_list("url", flat=True))


def test_an_operator_drains_and_uses_again(operator: Client) -> None:
    """What is ticked drains; it is one revision with the reason, and an older form of the service is out of date."""
    text = operator.get(dialog()).content.decode()
    assert (text.count('type="checkbox"'), text.count(" checked ") + text.count(" checked>")) == (3, 1)
    version = Service.objects.get(name="s").version
    assert sent(operator, "http://a", "http://c", reason="maintenance") == 302
    assert draining_now() == {"http://a", "http://c"}
    assert sent(operator, "http://b") == 302
    assert draining_now() == {"http://b"}
    assert list(Revision.objects.order_by("number").values_list("message", "author"))[1:] == [
        ("maintenance", "olga"),
        ("Drain 1 target, Use again 2 targets of s", "olga"),
    ]
    document = json.loads(Revision.objects.latest("number").document)
    assert next(each for each in document["services"] if each["name"] == "s")["targets"] == [
        {"url": "http://a"},
        {"url": "http://b", "drain": True},
        {"url": "http://c"},
    ]
    assert Service.objects.get(name="s").version == version + 2


def test_what_changes_nothing_publishes_nothing(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are targets changed that the dialog does not show, or of another service."""
    assert sent(operator, "http://c") == 302
    data = {"_form_submitted": "on", "reason": "", "draining": [key("http://o")]}
    assert operator.post(dialog(), data).status_code == 200
    monkeypatch.setattr(draining, "SHOWN_TARGETS", 2)
    assert sent(operator) == 302
    assert (draining_now(), Revision.objects.count()) == ({"http://c"}, 1)


def test_who_may_only_look_does_not_drain() -> None:
    """Nor is there anything to drain of a service that is not there."""
    client = viewer()
    assert client.get(dialog()).status_code == 403
    assert sent(client, "http://a") == 403
    assert draining_now() == {"http://c"}
    missing = signed_in().post(page("service", "drain", 10**6), {"_form_submitted": "on", "reason": ""})
    assert missing.status_code == 404
