"""The pages of workers: who runs what, since when, and what is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from routing.admin.nodes import standing_of, with_newest
from routing.admin.nodestates import Standing
from routing.drafts import Actor
from routing.models import Node
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in, viewer
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def node(name: str, **more: Any) -> Node:
    now = timezone.now()
    values = {"pid": 1, "role": "all", "revision": 1, "since": now, "heartbeat": now, **more}
    return Node.objects.create(name=name, **values)


def test_standing_is_judged_against_the_live_revision() -> None:
    """Current, behind, failing and silent workers are told apart."""
    apply_document(small(), actor=Actor("first"))
    node("current")
    node("behind", revision=None)
    node("failing", error="revision 1 does not compile here")
    node("silent", heartbeat=timezone.now() - timedelta(minutes=5))
    assert {each.name: standing_of(each) for each in with_newest(Node.objects.all())} == {
        each.value: each for each in Standing
    }


def test_list_and_page_show_the_error() -> None:
    """What keeps a worker from the newest revision is said on the worker."""
    broken = node("w1", error="revision 2 does not compile here: no CA file")
    client = viewer()
    for url in (page("node", "changelist"), page("node", "change", broken.pk)):
        text = client.get(url).content.decode()
        assert "no CA file" in text
        assert "failing" in text


def test_workers_cannot_be_edited() -> None:
    """They report by themselves."""
    row = node("w1")
    client = signed_in()
    assert client.get(page("node", "add")).status_code == 403
    assert client.post(page("node", "change", row.pk), {"name": "x"}).status_code == 403
    assert client.post(page("node", "delete", row.pk), {"post": "yes"}).status_code == 403
