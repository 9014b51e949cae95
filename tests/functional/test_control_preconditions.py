"""What the control API shows one by one has an entity tag, and is changed only in the state that it was seen in."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from drf_spectacular.generators import SchemaGenerator

from authproxy import apikeys, consumers, sessions
from authproxy.models import Consumer
from resilience.breaker import State
from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from routing.breaking import force
from routing.canarying import begin
from routing.drafts import Actor
from routing.models import Lease
from routing.publishing import apply_document
from tests.support.configuration import route, service
from tests.support.control import Control
from tests.support.endpoints import account
from tests.support.leases import registered
from tests.support.trail import newest

pytestmark = [pytest.mark.store, pytest.mark.django_db]
METHODS = ("put", "post", "patch", "delete")
UNCHANGED = {"requests/{key}", "revisions/{number}", "traffic"}
"""Nobody changes them."""
SEPARATE = {
    "draft": ("draft/publish", "draft/discard", "draft/reject", "draft/comments"),
    "schedules/{number}": ("schedules/{number}/approve", "schedules/{number}/cancel"),
}
"""Orders about what has its tag at another path."""
PATHS: dict[str, Any] = {
    path.removeprefix("/control/v1/"): methods
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items()
    if path.startswith("/control/v1/")
}
SINGLE = [
    path
    for path, methods in PATHS.items()
    if methods.get("get", {}).get("summary", "").startswith("Show ") and path not in UNCHANGED
]


def fields_of(call: Any) -> set[str]:
    return {each["name"] for each in call.get("parameters", ()) if each["in"] == "header"}


@pytest.mark.parametrize("path", SINGLE)
def test_the_description_says_so(path: str) -> None:
    """304 where the client has it; If-Match and 412 wherever it is changed; If-None-Match where it may be made."""
    methods = PATHS[path]
    assert "If-None-Match" in fields_of(methods["get"])
    assert "304" in methods["get"]["responses"]
    orders = [methods[name] for name in METHODS if name in methods]
    orders += [PATHS[each]["post"] for each in SEPARATE.get(path, ())]
    for call in orders:
        assert "If-Match" in fields_of(call)
        assert "412" in call["responses"]
    if "put" in methods:
        assert "If-None-Match" in fields_of(methods["put"])


class Thing(NamedTuple):
    """Where it is shown, and an order that changes it: path, method, body."""

    path: str
    order: tuple[str, str, Any]


def a_breaker() -> Thing:
    force("orders", State.OPEN, by="anna")
    return Thing("breakers/orders", ("breakers/orders", "post", {"force": None}))


def a_canary() -> Thing:
    begin("orders", Wanted(CanaryPolicy(), "new", "m"), 1, 1_700_000_000.0)
    return Thing("canaries/orders", ("canaries/orders", "post", {"word": "pause"}))


def a_lease() -> Thing:
    registered("orders", approves=False)
    path = f"leases/{Lease.objects.get().pk}"
    return Thing(path, (path, "post", {"word": "approve"}))


def a_draft(what: str, body: Any = None) -> Callable[[], Thing]:
    def made() -> Thing:
        more = {"version": 1, "routes": [route("more", "/more")]}
        apply_document(more, actor=Actor("anna"), draft=True)
        return Thing("draft", (f"draft/{what}", "post", body))

    return made


def a_schedule(what: str) -> Callable[[], Thing]:
    def made() -> Thing:
        document = {"version": 1, "routes": [{"name": "orders", "enabled": False}]}
        body = {"document": document, "from": "2090-07-15 09:00"}
        number = Control("anna", is_superuser=True).call("post", "schedules", body).json()["id"]
        return Thing(f"schedules/{number}", (f"schedules/{number}/{what}", "post", {}))

    return made


def a_session() -> Thing:
    opened = sessions.open(account("bert"), address="", user_agent="")
    path = f"sessions/{opened.session.pk}"
    return Thing(path, (path, "delete", None))


def a_key() -> Thing:
    key, _ = apikeys.create(Consumer.objects.get(name="shop"), "till", by="anna")
    path = f"consumers/shop/keys/{key.pk}"
    return Thing(path, (path, "delete", None))


def an_account() -> Thing:
    account("bert")
    return Thing("users/bert", ("users/bert", "delete", None))


def an_owner() -> Thing:
    account("bert")
    path = "owners/services/orders/users/bert"
    Control("anna", is_superuser=True).call("put", path)
    return Thing(path, (path, "delete", None))


THINGS: dict[str, Callable[[], Thing]] = {
    "breaker": a_breaker,
    "canary": a_canary,
    "lease": a_lease,
    "draft, published": a_draft("publish", {}),
    "draft, discarded": a_draft("discard"),
    "draft, rejected": a_draft("reject", {"reason": "no"}),
    "draft, spoken of": a_draft("comments", {"text": "hm"}),
    "schedule, approved": a_schedule("approve"),
    "schedule, cancelled": a_schedule("cancel"),
    "session": a_session,
    "key": a_key,
    "account": an_account,
    "group": lambda: Thing("groups/viewer", ("groups/viewer", "put", {"permissions": []})),
    "owner": an_owner,
    "consumer": lambda: Thing("consumers/shop", ("consumers/shop", "delete", None)),
    "entry": lambda: Thing("routes/orders", ("routes/orders", "patch", {"enabled": False})),
    "defaults": lambda: Thing("defaults", ("defaults", "put", {"timeout": "3s"})),
}


@pytest.fixture
def root() -> Control:
    """A superuser, where something is live."""
    document = {"version": 1, "services": [service(breaker={})], "routes": [route()]}
    apply_document(document, actor=Actor("first"))
    Consumer.objects.create(name="shop", kind="service")
    return Control("root", is_superuser=True)


@pytest.mark.parametrize("name", THINGS)
def test_it_is_changed_as_it_was_seen(name: str, root: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the tag of another state nothing happens, and the answer says which is the present one."""
    if "approved" in name:
        monkeypatch.setattr("routing.scheduling.under_review", lambda: True)
    thing = THINGS[name]()
    path, method, body = thing.order
    shown = root.call("get", thing.path)
    tag = shown["ETag"]
    assert root.call("get", thing.path, if_none_match=tag).status_code == 304
    before = newest()
    for fields in ({"if_match": '"other"'}, {"if_match": f"W/{tag}"}, {"if_none_match": tag}):
        refused = root.call(method, path, body, **fields)
        assert refused.status_code == 412, refused.content
        error = refused.json()["error"]
        assert (error["code"], error["details"]["etag"]) == ("PRECONDITION_FAILED", tag)
    assert newest() == before
    assert root.call("get", thing.path)["ETag"] == tag
    done = root.call(method, path, body, if_match=f'"other", {tag}')
    assert done.status_code in (200, 201, 204), done.content
    assert newest() == before + 1
    again = root.call("get", thing.path)
    assert again.status_code == 404 or again["ETag"] != tag
    if method != "delete" and path == thing.path:
        assert done["ETag"] == again["ETag"]


def test_what_is_not_there_is_not_found_whatever_is_wanted(root: Control) -> None:
    """A precondition is about something."""
    nobody = "00000000-0000-4000-8000-000000000000"
    for method, path, body in (
        ("post", "breakers/nobody", {"force": "open"}),
        ("post", "canaries/nobody", {"word": "pause"}),
        ("post", f"leases/{nobody}", {"word": "end"}),
        ("delete", f"sessions/{nobody}", None),
        ("delete", "consumers/shop/keys/1", None),
        ("delete", "users/nobody", None),
        ("post", "schedules/77/cancel", {}),
    ):
        assert root.call(method, path, body, if_match='"x"').status_code == 404, path


def test_a_breaker_that_was_never_forced_has_no_state_yet(root: Control) -> None:
    """So `If-None-Match: *` forces it only if nobody has."""
    assert root.call("post", "breakers/orders", {"force": "open"}, if_match="*").status_code == 412
    first = root.call("post", "breakers/orders", {"force": "open"}, if_none_match="*")
    second = root.call("post", "breakers/orders", {"force": "closed"}, if_none_match="*")
    assert (first.status_code, second.status_code) == (200, 412)


def is_waited() -> bool:
    """Whether somebody waits for a lock that somebody else has in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE NOT granted AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["consumers/shop", "users/bert"])
def test_who_comes_second_sees_what_the_first_has_done(path: str, root: Control) -> None:
    """Removing waits for a change that is being made, and then it is of another state; SQLite has one writer anyway."""
    if connection.vendor != "postgresql":
        return
    account("bert")
    tag = root.call("get", path)["ETag"]
    found: list[int] = []

    def remove() -> None:
        found.append(root.call("delete", path, if_match=tag).status_code)
        connections.close_all()

    thread = threading.Thread(target=remove)
    with transaction.atomic():
        consumers.assign_plan(Consumer.objects.filter(name="shop"), "gold")
        bert = User.objects.get(username="bert")
        bert.is_staff = True
        bert.save()
        thread.start()
        while thread.is_alive() and not is_waited():
            thread.join(0.01)
    thread.join()
    assert found == [412]
    assert root.call("get", path).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("consumers/shop", "put", {"kind": "service", "plan": "gold"}),
        ("users/bert", "patch", {"email": "b@x.example"}),
        ("groups/viewer", "put", {"permissions": []}),
    ],
)
def test_of_two_at_once_one_wins(path: str, method: str, body: Any, root: Control) -> None:
    """Who changes and who removes, both as they saw it."""
    if connection.vendor != "postgresql":
        return
    account("bert")
    tag = root.call("get", path)["ETag"]
    ready, found = threading.Barrier(2), {}

    def ask(how: str, content: Any) -> None:
        ready.wait(10)
        found[how] = root.call(how, path, content, if_match=tag).status_code
        connections.close_all()

    threads = [threading.Thread(target=ask, args=args) for args in ((method, body), ("delete", None))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found[method], found["delete"]) in ((200, 412), (404, 204), (412, 204))
