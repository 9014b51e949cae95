"""One writer at a time, in the transaction of the change; and what an event says of who did it."""

import threading
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction

from authproxy.models import Consumer
from observability.audit.chain import Verified
from observability.audit.finding import Wanted, find
from observability.audit.writing import MOST_REFUSALS
from observability.models import AuditObject
from routing.auditing import Deed, Origin, coming_from, record
from routing.drafts import Actor
from routing.publishing import apply_document
from routing.reviewing import comment, reject
from routing.scheduling import add
from tests.support.configuration import small
from tests.support.trail import events, state

pytestmark = pytest.mark.store


@pytest.mark.django_db(transaction=True)
def test_the_chain_never_forks() -> None:
    """Several writers at once, each with transactions of several events."""
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def write(name: str) -> None:
        try:
            start.wait(10)
            for turn in range(10):
                with transaction.atomic():
                    record(Deed("test.deed", (("routes", f"{name}-{turn}"),), name))
                    record(Deed("test.other", (), name))
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert failures == []
    found = state()
    assert isinstance(found, Verified)
    assert (found.count, found.number) == (80, 80)
    said = events()
    assert all(said[at]["actor"] == said[at + 1]["actor"] for at in range(0, 80, 2)), "transactions are whole"


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_leaves_nothing() -> None:
    with transaction.atomic():
        record(Deed("test.deed"))
        transaction.set_rollback(True)
    assert events() == []
    record(Deed("test.deed"))
    assert state() == Verified(1, 1, state().hash)  # type: ignore[union-attr]


@pytest.mark.django_db
def test_an_event_says_who_from_where_and_why() -> None:
    user = User.objects.create_user("anna")
    Consumer.objects.create(name="shop", kind="service")
    with coming_from(Origin("api", "10.1.2.3")):
        record(Deed("test.deed", (("routes", "a\0b"),), "anna", "because tor_abc_s3cr3tS3cr3t"))
        record(Deed("test.deed", (), "shop"))
        record(Deed("test.deed"))
    first, second, third = events()
    assert (first["actor"], first["actor_kind"], first["user_id"]) == ("anna", "user", user.pk)
    assert (first["door"], first["address"], first["reason"]) == ("api", "10.1.2.3", "because ***")
    assert (second["actor_kind"], third["actor"], third["actor_kind"]) == ("consumer", "system", "system")
    assert AuditObject.objects.get().name == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.django_db
def test_guessing_does_not_fill_the_trail() -> None:
    for _ in range(MOST_REFUSALS + 5):
        record(Deed("staff.login_failed"))
    record(Deed("staff.login", (), "anna"))
    assert len(events()) == MOST_REFUSALS + 1


@pytest.mark.django_db
def test_words_find_an_event_by_what_it_was_about() -> None:
    """A publish of many rows tells how many they are in its summary; each is found by its name all the same."""
    record(Deed("configuration.publish", (("routes", "Orders-V2"), ("services", "shop")), summary="2 added"))

    found = [row.summary for text in ("orders-v2", "Shop", "2 added") for row in find(Wanted(text=text))]

    assert found == ["2 added"] * 3
    assert list(find(Wanted(text="billing"))) == []


@pytest.mark.django_db
def test_what_changes_no_configuration_is_summed_up_in_words() -> None:
    """Of comments, rejections and schedules the reason is what somebody wrote, and no more."""
    anna, bert = Actor("anna"), Actor("bert")
    apply_document(small(), actor=anna)
    apply_document(small(9), actor=anna, draft=True)
    comment("why nine?", actor=bert)
    reject("not nine", actor=bert)
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    off = {"version": 1, "routes": [{"name": "orders", "enabled": False}]}
    schedule = add(off, actor=anna, zone="UTC", starts_at=noon, reason="a sale", now=noon)

    assert [(each["action"], each["summary"], each["reason"]) for each in events()][-3:] == [
        ("configuration.comment", "comment: the draft", "why nine?"),
        ("configuration.reject", "reject: the draft", "not nine"),
        ("configuration.schedule.add", f"schedule {schedule.pk}: {schedule.summary}", "a sale"),
    ]
