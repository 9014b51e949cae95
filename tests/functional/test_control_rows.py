"""Pages of the control API's lists have an entity tag, and orders about their rows take the tags of those rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db.models import F

from authproxy import quotaresets
from realtime.models import LiveSocket
from resilience.models import QuotaCount, TargetHealth
from routing.drafts import Actor
from routing.models import Route, Service
from routing.publishing import apply_document
from tests.functional.test_control_preconditions import PATHS, fields_of
from tests.support.configuration import route, service, small
from tests.support.control import Control
from tests.support.counts import configured, counted
from tests.support.livesockets import live, live_route
from tests.support.logonly import hit, logging_only
from tests.support.standings import A, checked, shop
from tests.support.trail import newest

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LISTS = [
    path for path, methods in PATHS.items() if methods.get("get", {}).get("summary", "").startswith("List ")
]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Control:
    """A superuser, where nobody else shares what quotas count."""
    monkeypatch.setattr(quotaresets, "_bound", [])
    return Control("root", is_superuser=True)


@pytest.mark.parametrize("path", LISTS)
def test_the_description_says_so(path: str) -> None:
    """Every list, the ones to come included."""
    call = PATHS[path]["get"]
    assert "If-None-Match" in fields_of(call)
    assert "304" in call["responses"]
    assert {"limit", "cursor"} <= {each["name"] for each in call["parameters"]}


@pytest.mark.parametrize("path", [path for path in LISTS if "{" not in path])
def test_a_page_that_is_known_is_not_sent_again(path: str, root: Control) -> None:
    """By the tag of that page; of another one it is sent."""
    first = root.call("get", path)
    assert root.call("get", path, if_none_match='"other"').status_code == 200
    again = root.call("get", path, if_none_match=first["ETag"])
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["ETag"] == first["ETag"]


def test_a_page_that_changed_is_sent(root: Control) -> None:
    """What it shows is what its tag is of, page by page."""
    live_route()
    live(1)
    path = "sockets?limit=1"
    first = root.call("get", path)
    assert root.call("get", path, if_none_match=first["ETag"]).status_code == 304
    LiveSocket.objects.update(received=F("received") + 1)
    assert root.call("get", path, if_none_match=first["ETag"]).status_code == 200


class Thing(NamedTuple):
    """Where rows are listed, under which name, an order about all of them, and what changes them meanwhile."""

    path: str
    name: str
    order: tuple[str, Any]
    meanwhile: Callable[[], object]


def a_target() -> Thing:
    shop()
    checked(A)
    order = ("services/shop/targets/readmit", {"url": A})
    return Thing(
        "services/shop/targets", "targets", order, lambda: TargetHealth.objects.update(why="status 503")
    )


def counts() -> Thing:
    configured()
    counted("d|free|consumer:ada", 7)
    counted("m|free|consumer:ada", 30)
    order = ("quotas/counts/reset", {"quota": "free", "key": "consumer:ada"})
    return Thing("quotas/counts", "counts", order, lambda: QuotaCount.objects.filter(count=7).update(count=8))


def sockets(which: str) -> Callable[[], Thing]:
    def made() -> Thing:
        live_route()
        rows = [live(1), live(2)]
        body = {"ids": {"ids": [row.pk for row in rows]}, "route": {"route": "live"}, "all": {"all": True}}
        order = ("sockets/end", body[which])
        return Thing(
            "sockets", "sockets", order, lambda: LiveSocket.objects.filter(number=1).update(user="b")
        )

    return made


def a_policy() -> Thing:
    logging_only()
    order = ("log-only", {"route": "open", "policy": "require_headers"})
    return Thing(
        "log-only?route=open", "policies", order, lambda: Route.objects.get(name="open").save()
    )  # fmt: skip


THINGS: dict[str, Callable[[], Thing]] = {
    "target": a_target,
    "counts": counts,
    "sockets by id": sockets("ids"),
    "sockets of a route": sockets("route"),
    "all sockets": sockets("all"),
    "policy in mode log": a_policy,
}


@pytest.mark.parametrize("name", THINGS)
def test_rows_are_changed_as_they_were_seen(name: str, root: Control) -> None:
    """Each row's tag is wanted; with those of another state nothing happens, and the answer has the present ones."""
    thing = THINGS[name]()
    path, body = thing.order
    call = PATHS["services/{service}/targets/readmit" if "readmit" in path else path]["post"]
    assert "If-Match" in fields_of(call)
    assert "412" in call["responses"]

    def tags() -> list[str]:
        return [each["etag"] for each in root.call("get", thing.path).json()[thing.name]]

    old = tags()
    assert len(set(old)) == len(old) > 0
    thing.meanwhile()
    now, before = tags(), newest()
    assert now != old
    for field in (", ".join(old), '"other"', now[0] if len(now) > 1 else '"more"'):
        refused = root.call("post", path, body, if_match=field)
        assert refused.status_code == 412, refused.content
        assert set(refused.json()["error"]["details"]["etag"].split(", ")) == set(now)
    assert root.call("post", path, body, if_none_match=now[0]).status_code == 412
    assert newest() == before
    done = root.call("post", path, body, if_match=", ".join(now))
    assert done.status_code == 200, done.content
    assert newest() > before


def test_figures_that_traffic_moves_are_no_state_of_a_policy_or_a_connection(root: Control) -> None:
    """Else nobody could ever end a busy connection as it was seen."""
    live_route()
    row = live(1)
    logging_only()
    (socket,) = root.call("get", "sockets").json()["sockets"]
    policy = root.call("get", "log-only?route=users").json()["policies"][0]
    LiveSocket.objects.update(sent=F("sent") + 10)
    hit("d", policy["policy"], "dora", 9)
    ended = root.call("post", "sockets/end", {"ids": [row.pk]}, if_match=socket["etag"])
    enforced = root.call(
        "post", "log-only", {"route": "users", "policy": policy["policy"]}, if_match=policy["etag"]
    )
    assert (ended.status_code, enforced.status_code) == (200, 200)


def test_a_quota_that_is_not_named_is_the_one_in_mode_log(root: Control) -> None:
    """Its row's tag is wanted then."""
    document = {**small(), "quotas": [{"name": "daily", "limit": 9, "per": "day", "mode": "log"}]}
    apply_document({**document, "routes": [route("users", "/users", quotas=["daily"])]}, actor=Actor("anna"))
    (row,) = root.call("get", "log-only?route=users").json()["policies"]
    order = {"route": "users", "policy": "quotas"}
    assert root.call("post", "log-only", order, if_match='"other"').status_code == 412
    assert root.call("post", "log-only", order, if_match=row["etag"]).status_code == 200


def test_draining_takes_the_tag_of_the_service(root: Control) -> None:
    """That is what it changes."""
    apply_document({"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("anna"))
    seen = root.call("get", "services/orders")
    url = Service.objects.get(name="orders").targets.get().url
    first = root.call("post", "services/orders/targets/drain", {"url": url}, if_match=seen["ETag"])
    second = root.call(
        "post", "services/orders/targets/drain", {"url": url, "drain": False}, if_match=seen["ETag"]
    )
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["error"]["details"]["etag"] == root.call("get", "services/orders")["ETag"]
    assert Service.objects.get(name="orders").targets.get(url=url).drain is True


def test_replay_is_judged_by_what_was_seen(root: Control) -> None:
    """The tag of the document, or of the revision's."""
    apply_document({"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("anna"))
    draft, first = root.call("get", "document")["ETag"], root.call("get", "revisions/1/document")["ETag"]
    assert root.call("post", "replay", {}, if_match=draft).status_code == 200
    apply_document({"version": 1, "routes": [route("more", "/more")]}, actor=Actor("anna"), draft=True)
    refused = root.call("post", "replay", {}, if_match=draft)
    assert (refused.status_code, refused.json()["error"]["details"]["etag"]) == (
        412,
        root.call("get", "document")["ETag"],
    )
    assert root.call("post", "replay", {"against": 1}, if_match=first).status_code == 200
    assert root.call("post", "replay", {"against": 1}, if_match='"other"').status_code == 412


def test_what_is_not_there_is_not_found_whatever_is_wanted(root: Control) -> None:
    """A precondition is about something."""
    for path, body in (
        ("services/nobody/targets/readmit", {"url": A}),
        ("services/nobody/targets/drain", {"url": A}),
        ("quotas/counts/reset", {"quota": "free", "key": "consumer:nobody"}),
        ("replay", {"against": 77}),
    ):
        assert root.call("post", path, body, if_match='"x"').status_code == 404, path
