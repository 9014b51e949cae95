"""Draining a target: a revision or a draft, once, and in words what cannot be done."""

import json
from typing import Any

import pytest

from routing import publishing
from routing.drafts import Actor
from routing.draining import drain
from routing.models import PendingChange, Revision, Service, Target
from routing.ordering import OrderRefused
from routing.publishing import apply_document
from tests.support.configuration import route, service
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]
OLGA = Actor("olga")


@pytest.fixture(autouse=True)
def world() -> None:
    services = [service("s", targets=[{"url": "http://a"}, {"url": "http://b"}])]
    apply_document({"version": 1, "services": services, "routes": [route("r", to="s")]}, actor=Actor("first"))


def live_targets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Revision.objects.latest("number").document)["services"][0][
        "targets"
    ]
    return found


def test_it_drains_and_takes_requests_again() -> None:
    """One revision each, with the reason or what was done; an older form of the service is out of date."""
    version = Service.objects.get().version
    done = drain("s", "http://a", actor=OLGA, source="cli")
    assert (done.kind, done.revision) == ("published", 2)
    assert live_targets() == [{"url": "http://a", "drain": True}, {"url": "http://b"}]
    done = drain("s", "http://a", undo=True, actor=OLGA, reason="mended")
    assert (done.kind, done.revision) == ("published", 3)
    assert live_targets() == [{"url": "http://a"}, {"url": "http://b"}]
    assert Service.objects.get().version == version + 2
    assert list(Revision.objects.order_by("number").values_list("message", "author", "source"))[1:] == [
        ("Drain http://a of s", "olga", "cli"),
        ("mended", "olga", "api"),
    ]


def test_what_it_does_already_publishes_nothing() -> None:
    """Not even what others have left as a draft."""
    apply_document({"version": 1, "routes": [route("q", to="s")]}, actor=Actor("first"), draft=True)
    assert drain("s", "http://a", undo=True, actor=OLGA).kind == "unchanged"
    assert Revision.objects.count() == 1


def test_under_review_it_is_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else publishes it."""
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    done = drain("s", "http://b", actor=OLGA, reason="old disks")
    assert (done.kind, done.revision) == ("drafted", 1)
    assert list(PendingChange.objects.values_list("author", "message")) == [("olga", "old disks")]
    assert Target.objects.get(url="http://b").drain


@pytest.mark.parametrize(
    ("name", "url", "field", "why"),
    [
        ("x", "http://a", "service", 'there is no service "x"'),
        ("s", "http://c", "url", '"s" has no target "http://c" (did you mean "http://b"?)'),
        ("s", "http://a\0", "url", '"s" has no target'),
        ("s", "http://leased:1", "url", '"http://leased:1" registered itself: end its lease instead'),
    ],
)
def test_what_is_not_there_is_refused(name: str, url: str, field: str, why: str) -> None:
    """And changes nothing."""
    registered("s", host="leased")
    with pytest.raises(OrderRefused) as refusal:
        drain(name, url, actor=OLGA)
    assert refusal.value.field == field
    assert why in str(refusal.value)
    assert Revision.objects.count() == 1


def test_rows_that_cannot_be_published_are_told() -> None:
    """A draft that somebody left half done: nothing is changed."""
    Target.objects.filter(url="http://b").update(url="ftp://b")
    with pytest.raises(OrderRefused, match="nothing was changed: "):
        drain("s", "http://a", actor=OLGA)
    assert not Target.objects.get(url="http://a").drain
