"""`gateway apikey create`, `list` and `revoke`."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from authproxy import apikeys, consumers, tickets
from authproxy.models import ApiKey, SecurityEvent
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def billing() -> None:
    consumers.create("billing", kind="service", scopes=["read", "write"])


def test_the_secret_is_alone_on_standard_output() -> None:
    """So that a shell can take it; it is the key of the row, and kept nowhere."""
    ran = gateway("apikey", "create", "nightly", "--consumer", "billing")
    assert ran.code == 0
    secret = ran.out.removesuffix("\n")
    row = ApiKey.objects.get()
    assert tickets.is_right(secret.encode(), bytes(row.digest), pepper=apikeys.pepper())
    assert secret.startswith(row.prefix)
    assert secret not in ran.err
    assert secret not in repr(row.__dict__)
    assert (row.scopes, row.expires_at) == (None, None)


def test_scopes_and_expiry_narrow_it() -> None:
    """A duration counts from now."""
    made = gateway(
        *("apikey", "create", "k", "--consumer", "billing", "--scope", "read", "--expires", "30d", "--json")
    ).data
    assert made["scopes"] == ["read"]
    assert made["secret"].startswith(made["prefix"])
    lasts = ApiKey.objects.get().expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)


def test_a_date_is_its_end() -> None:
    """In UTC; a time is itself."""
    gateway("apikey", "create", "a", "--consumer", "billing", "--expires", "2999-12-31")
    gateway("apikey", "create", "b", "--consumer", "billing", "--expires", "2999-12-31T12:00:00Z")
    shown = {key["name"]: key["expires_at"] for key in gateway("apikey", "list", "--json").data}
    assert shown == {"a": "3000-01-01T00:00:00Z", "b": "2999-12-31T12:00:00Z"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--scope", "admin"), "scopes: billing does not have admin. It has: read, write."),
        (("--expires", "2001-01-01"), "expires_at: This is in the past."),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], why: str) -> None:
    """In one line, and no key is made."""
    ran = gateway("apikey", "create", "k", "--consumer", "billing", *arguments)
    assert (ran.code, ran.out, ran.err) == (1, "", f"{why}\n")
    assert not ApiKey.objects.exists()


def test_an_unknown_consumer_is_refused() -> None:
    """With the nearest name."""
    ran = gateway("apikey", "create", "k", "--consumer", "biling")
    assert (ran.code, ran.err) == (1, 'there is no consumer "biling" (did you mean "billing"?)\n')


def test_an_account_may_have_keys() -> None:
    """Its consumer is made when it is first needed."""
    User.objects.create_user("anna")
    assert gateway("apikey", "create", "k", "--consumer", "anna").code == 0
    assert ApiKey.objects.get().consumer.user == User.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_revoked_key_is_gone_from_the_list() -> None:
    """By its name or its prefix; who did it is kept."""
    gateway("apikey", "create", "a", "--consumer", "billing")
    gateway("apikey", "create", "b", "--consumer", "billing")
    prefix = ApiKey.objects.get(name="b").prefix
    assert gateway("apikey", "revoke", "a", "--as", "carl").out == "revoked a of billing\n"
    assert gateway("apikey", "list").out.split()[:3] == ["billing", "b", prefix]
    assert gateway("apikey", "revoke", prefix, "--json").data["revoked_at"] is not None
    assert gateway("apikey", "list").out == ""
    assert len(gateway("apikey", "list", "--all").out.splitlines()) == 2
    assert list(SecurityEvent.objects.filter(actor="carl").values_list("kind", flat=True)) == ["key_revoked"]
    assert gateway("apikey", "revoke", "a").err == 'there is no key "a" that could be revoked\n'


def test_a_name_that_several_use_wants_the_consumer() -> None:
    """Nothing is revoked by chance."""
    apikeys.create(consumers.create("acme"), "k", by="test")
    gateway("apikey", "create", "k", "--consumer", "billing")
    ran = gateway("apikey", "revoke", "k")
    assert (ran.code, ran.err) == (1, 'several have a key "k": say --consumer with one of acme, billing\n')
    assert gateway("apikey", "revoke", "k", "--consumer", "acme").code == 0
    assert [key["consumer"] for key in gateway("apikey", "list", "--json").data] == ["billing"]
    assert gateway("apikey", "list", "--consumer", "acme").out == ""
