"""Workers by the control API: which revision each serves, how it stands, and who may look."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from authproxy.moments import rfc3339
from routing.drafts import Actor
from routing.models import Node
from routing.publishing import apply_document
from tests.support.configuration import small
from tests.support.control import Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]
SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
REFUSED = "revision 1 does not compile here: no CA file"


def node(name: str, **more: Any) -> Node:
    values = {"pid": 7, "role": "all", "revision": 1, "since": SINCE, "heartbeat": timezone.now(), **more}
    return Node.objects.create(name=name, **values)


@pytest.fixture
def viewer() -> Control:
    """Somebody who may look, while of four workers one is as it should be."""
    apply_document(small(), actor=Actor("first"))
    node("a:1", revision=None, since=None)
    node("b:1", role="control")
    node("c:1", error=REFUSED)
    node("d:1", heartbeat=timezone.now() - timedelta(seconds=40))
    return Control("vera", group="viewer")


def names(viewer: Control, query: str) -> list[str]:
    return [each["name"] for each in viewer.call("get", f"nodes?{query}").json()["nodes"]]


def test_each_says_what_it_serves_and_what_is_wrong(viewer: Control) -> None:
    found = viewer.call("get", "nodes").json()
    behind, current, failing, silent = found["nodes"]
    assert current == {
        "name": "b:1",
        "state": "current",
        "revision": 1,
        "since": "2026-01-01T12:00:00Z",
        "role": "control",
        "pid": 7,
        "heartbeat": rfc3339(Node.objects.get(name="b:1").heartbeat),
        "error": "",
    }
    assert (behind["state"], behind["revision"], behind["since"]) == ("behind", None, None)
    assert (failing["state"], failing["error"]) == ("failing", REFUSED)
    assert (silent["state"], found["total"], found["next"]) == ("silent", 4, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=failing", ["c:1"]),
        ("state=silent", ["d:1"]),
        ("role=control", ["b:1"]),
        ("search=ca+file", ["c:1"]),
        ("search=A:", ["a:1"]),
        ("role=all&state=current", []),
    ],
)
def test_filters(viewer: Control, query: str, found: list[str]) -> None:
    assert names(viewer, query) == found


def test_pages_and_what_the_client_has_already(viewer: Control) -> None:
    first = viewer.call("get", "nodes?limit=3")
    behind = first.json()["next"]
    assert [*names(viewer, "limit=3"), *names(viewer, f"limit=3&cursor={behind}")] == [
        "a:1",
        "b:1",
        "c:1",
        "d:1",
    ]
    assert viewer.call("get", "nodes?limit=3", if_none_match=first["ETag"]).status_code == 304
    Node.objects.filter(name="b:1").update(error="no memory")
    assert viewer.call("get", "nodes?limit=3", if_none_match=first["ETag"]).status_code == 200


@pytest.mark.parametrize("query", ["state=x", "cursor=x", "limit=0", "other=1", "role=" + "x" * 201])
def test_what_is_no_filter_is_refused(query: str, viewer: Control) -> None:
    assert viewer.call("get", f"nodes?{query}").status_code == 400


def test_who_may_look(viewer: Control) -> None:
    """As in admin."""
    assert viewer.call("get", "nodes").status_code == 200
    refused = Control("nora").call("get", "nodes")
    assert (refused.status_code, "routing.view_node" in refused.json()["error"]["message"]) == (403, True)
