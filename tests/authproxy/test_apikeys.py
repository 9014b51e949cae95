"""API keys: made once, narrowed to what the consumer has, revoked once."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from authproxy import apikeys, consumers, tickets
from authproxy.models import ApiKey, Consumer, IdentityChange, SecurityEvent
from authproxy.security import SecurityEvent as Event
from authproxy.security import bind
from tests.support.identities import publish_roles

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def billing() -> Consumer:
    return consumers.create("billing", kind="service", scopes=["read", "write"])


def test_the_secret_is_shown_once(billing: Consumer) -> None:
    """Only its keyed hash is kept."""
    key, secret = apikeys.create(billing, "nightly", by="carl")
    row = ApiKey.objects.get()
    assert row == key
    assert tickets.prefix_of(secret.encode(), tickets.API_KEY, pepper=apikeys.pepper()) == row.prefix
    assert tickets.is_right(secret.encode(), bytes(row.digest), pepper=apikeys.pepper())
    assert secret.encode() not in bytes(row.digest)
    assert (row.scopes, row.expires_at, row.revoked_at) == (None, None, None)


def test_a_consumer_has_several_keys(billing: Consumer) -> None:
    """Of different names, as long as they are live."""
    first, _ = apikeys.create(billing, "a", by="carl")
    apikeys.create(billing, "b", by="carl")
    with pytest.raises(ValidationError, match="There is a key"):
        apikeys.create(billing, "a", by="carl")
    apikeys.revoke(first, by="carl")
    apikeys.create(billing, "a", by="carl")
    assert billing.keys.count() == 3


def test_scopes_are_some_of_the_consumer_s(billing: Consumer) -> None:
    """Its own, and those of its roles; none is fewer than all."""
    publish_roles(analyst=["export"])
    billing.roles.add(Group.objects.get_or_create(name="analyst")[0])
    assert apikeys.narrowed(billing, None) is None
    assert apikeys.narrowed(billing, []) == []
    assert apikeys.narrowed(billing, ["write", "export", "write"]) == ["export", "write"]
    with pytest.raises(ValidationError) as refused:
        apikeys.narrowed(billing, ["read", "admin", "root"])
    text = "billing does not have admin, root. It has: export, read, write."
    assert refused.value.message_dict == {"scopes": [text]}


@pytest.mark.parametrize(("name", "field"), [("", "name"), ("x" * 101, "name")])
def test_a_name_that_cannot_be_is_refused(billing: Consumer, name: str, field: str) -> None:
    """By field."""
    with pytest.raises(ValidationError) as refused:
        apikeys.create(billing, name, by="carl")
    assert list(refused.value.message_dict) == [field]
    assert not ApiKey.objects.exists()


def test_what_has_expired_already_is_not_made(billing: Consumer) -> None:
    """It would never pass."""
    with pytest.raises(ValidationError, match="in the past"):
        apikeys.create(billing, "k", expires_at=timezone.now() - timedelta(seconds=1), by="carl")


def test_keys_are_bounded(billing: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live ones: who revokes may go on."""
    monkeypatch.setattr(apikeys, "MOST_KEYS", 2)
    apikeys.create(billing, "a", by="carl")
    second, _ = apikeys.create(billing, "b", by="carl")
    with pytest.raises(ValidationError, match="2 keys already"):
        apikeys.create(billing, "c", by="carl")
    apikeys.revoke(second, by="carl")
    apikeys.create(billing, "c", by="carl")


@pytest.mark.django_db(transaction=True)
def test_revoking_is_done_once(billing: Consumer) -> None:
    """However many try at once; every worker is told, and whoever watches over access."""
    key, _ = apikeys.create(billing, "k", by="carl")
    events: list[Event] = []
    unbind = bind(events.append)
    ready, found = threading.Barrier(2), []

    def revoke() -> None:
        mine = ApiKey.objects.select_related("consumer").get()
        ready.wait(10)
        found.append(apikeys.revoke(mine, by="carl"))
        connections.close_all()

    threads = [threading.Thread(target=revoke) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    unbind()
    assert sorted(found) == [False, True]
    assert [row.subject for row in IdentityChange.objects.all()] == [f"key:{key.pk}"]
    assert [(event.kind, event.actor, event.subject) for event in events] == [
        ("key_revoked", "carl", "billing")
    ]
    assert not SecurityEvent.objects.exists(), "keeping them is the log's"
