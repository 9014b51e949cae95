"""`/control/v1/owners…`: who owns which service or route, by the path."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction

from gateway_project.signin.groups import EDITOR, SECURITY_ADMIN, VIEWER
from observability.audit.chain import Verified
from routing.drafts import Actor
from routing.models import Owner, Revision, Service
from routing.publishing import apply_document
from tests.support.configuration import route, service
from tests.support.control import Control
from tests.support.endpoints import account
from tests.support.trail import events, newest, state

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ADA = "owners/services/orders/users/ada"
CREW = "owners/routes/orders/groups/crew/night"


@pytest.fixture
def sara() -> Control:
    """A security admin, where a service and a route are live."""
    apply_document({"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("first"))
    account("ada", is_staff=True)
    Group.objects.create(name="crew/night")
    return Control("sara", SECURITY_ADMIN)


def test_one_is_made(sara: Control) -> None:
    """Again, it changes nothing; it is no revision, but one event."""
    before, revisions = newest(), Revision.objects.count()
    made = sara.call("put", ADA)
    told = {"user": "ada", "group": None, "service": "orders", "route": None}
    assert (made.status_code, made.json()) == (201, told)
    again = sara.call("put", ADA)
    assert (again.status_code, again.json(), again["ETag"]) == (200, told, made["ETag"])
    assert sara.call("get", ADA)["ETag"] == made["ETag"]
    assert sara.call("put", CREW).json() == {
        "user": None, "group": "crew/night", "service": None, "route": "orders",
    }  # fmt: skip
    first, second = events(after=before)
    assert (first["action"], first["actor"], first["door"]) == ("owner.create", "sara", "api")
    assert first["objects"] == [["owner", "ada owns orders"]]
    assert second["objects"] == [["owner", "crew/night owns orders"]]
    assert (Owner.objects.count(), Revision.objects.count()) == (2, revisions)
    assert isinstance(state(), Verified)


def test_an_owner_edits_what_it_owns(sara: Control) -> None:
    """From the next call on, until it is none any more."""
    olga = Control("olga")
    path = "owners/services/orders/users/olga"
    body = {"timeout": {"connect": "3s"}}
    assert olga.call("patch", "services/orders", body).status_code == 403
    sara.call("put", path)
    assert olga.call("patch", "services/orders", body).status_code == 200
    assert sara.call("delete", path).status_code == 204
    assert olga.call("patch", "services/orders", {"timeout": {"connect": "4s"}}).status_code == 403


def test_preconditions(sara: Control) -> None:
    """Only if it is there, or is not."""
    assert sara.call("put", ADA, if_match="*").status_code == 412
    tag = sara.call("put", ADA, if_none_match="*")["ETag"]
    assert sara.call("put", ADA, if_none_match="*").status_code == 412
    assert sara.call("get", ADA, if_none_match=tag).status_code == 304
    assert sara.call("delete", ADA, if_match='"other"').status_code == 412
    assert sara.call("delete", ADA, if_match=tag).status_code == 204


def test_one_is_removed(sara: Control) -> None:
    sara.call("put", CREW)
    before = newest()
    assert sara.call("delete", CREW).status_code == 204
    assert [sara.call(method, CREW).status_code for method in ("get", "delete")] == [404, 404]
    (event,) = events(after=before)
    assert (event["action"], event["objects"]) == ("owner.delete", [["owner", "crew/night owns orders"]])


def waiting() -> int:
    """How many wait for a lock in this database now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees the same as before
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_two_who_make_the_same_wait_for_each_other(sara: Control) -> None:
    """One makes it, and the other finds it made, where neither was there when both began; SQLite has one writer
    anyway."""
    if connection.vendor != "postgresql":
        return
    found: list[int] = []

    def make() -> None:
        found.append(sara.call("put", ADA).status_code)
        connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(2)]
    with transaction.atomic():
        Service.objects.select_for_update().get(name="orders")
        for thread in threads:
            thread.start()
        while all(thread.is_alive() for thread in threads) and waiting() < len(threads):
            threads[0].join(0.01)
    for thread in threads:
        thread.join()
    assert (sorted(found), Owner.objects.count()) == ([200, 201], 1)


@pytest.mark.parametrize(
    "path",
    [
        "owners/services/nothing/users/ada",
        "owners/routes/nothing/users/ada",
        "owners/services/orders/users/nobody",
        "owners/services/orders/groups/ada",
        "owners/quotas/orders/users/ada",
        "owners/services/orders/consumers/ada",
    ],
)
def test_what_is_not_there_is_not_owned(sara: Control, path: str) -> None:
    """And owns nothing."""
    before = newest()
    answers = [sara.call(method, path) for method in ("get", "put", "delete")]
    assert [each.status_code for each in answers] == [404, 404, 404]
    assert [each.json()["error"]["code"] for each in answers] == ["NOT_FOUND"] * 3
    assert (Owner.objects.count(), newest()) == (0, before)


def test_lists(sara: Control) -> None:
    """In pages, narrowed by each of the four, and by a part of any."""
    sara.call("put", ADA)
    sara.call("put", CREW)
    first = sara.call("get", "owners?limit=1").json()
    assert ([each["user"] for each in first["owners"]], first["total"]) == (["ada"], 2)
    rest = sara.call("get", f"owners?cursor={first['next']}").json()
    assert ([each["group"] for each in rest["owners"]], rest["next"]) == (["crew/night"], None)
    counts = {
        "user=ada": 1, "user=ad": 0, "group=crew/night": 1, "service=orders": 1, "route=orders": 1,
        "route=orders&user=ada": 0, "search=NIGHT": 1, "search=order": 2,
    }  # fmt: skip
    assert {query: sara.call("get", f"owners?{query}").json()["total"] for query in counts} == counts


def test_who_may(sara: Control) -> None:
    """Security admins. An editor of everything makes no owners, and an owner none of its own."""
    sara.call("put", ADA)
    for client in (Control("vera", VIEWER), Control("edith", EDITOR)):
        assert client.call("get", ADA).status_code == 200
        assert client.call("put", CREW).status_code == 403
        assert client.call("delete", ADA).status_code == 403
    ada = Control("olga")
    Owner.objects.create(user=ada.user, service=Owner.objects.get().service)
    assert [ada.call("get", path).status_code for path in ("owners", ADA)] == [403, 403]
    assert ada.call("put", "owners/services/orders/groups/crew/night").status_code == 403
    assert Owner.objects.count() == 2
