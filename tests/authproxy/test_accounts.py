"""Accounts, and the consumers that they are."""

import threading

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections

from authproxy import accounts, consumers, sessions
from authproxy.models import Consumer

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_an_account_has_what_was_asked_for() -> None:
    """And a password that was made up, if none was given."""
    role = Group.objects.create(name="analyst")
    user, password = accounts.create("anna", email="a@Example.test", roles=[role], is_staff=True)
    fresh = User.objects.get()
    assert fresh == user
    assert fresh.check_password(password)
    assert (fresh.email, fresh.is_staff, list(fresh.groups.all())) == ("a@example.test", True, [role])
    assert len(password) == 20
    assert accounts.create("bert", password="given")[1] == "given"


def test_one_name_is_one_somebody() -> None:
    """Accounts and consumers share their names, whatever the case."""
    consumers.create("billing")
    user, _ = accounts.create("anna")
    for taken in ("Billing", "ANNA"):
        with pytest.raises(ValidationError, match="taken"):
            accounts.create(taken)
        assert accounts.is_taken(taken)
    mine = accounts.consumer_of(user)
    assert not accounts.is_taken("Anna", user=user)
    assert not accounts.is_taken("anna", consumer=mine)
    assert accounts.is_taken("billing", user=user, consumer=mine)
    assert not accounts.is_taken("nobody")
    with pytest.raises(ValidationError, match="taken"):
        consumers.create("Anna")


def test_an_address_is_nobody_else_s_name() -> None:
    """People sign in by either, so neither may stand in front of the other."""
    accounts.create("anna", email="Anna@example.test")
    accounts.create("bert@example.test", email="bert@example.test")
    with pytest.raises(ValidationError, match="taken"):
        accounts.create("anna@EXAMPLE.test")
    with pytest.raises(ValidationError, match="somebody's name"):
        accounts.create("carl", email="Bert@example.test")


def test_a_role_that_cannot_be_given_leaves_no_account() -> None:
    """All or nothing."""
    with pytest.raises((ValueError, IntegrityError)):
        accounts.create("anna", roles=[Group(name="never saved")])
    assert not User.objects.exists()


def test_an_account_s_consumer_is_made_once() -> None:
    """By whoever needs it first."""
    user, _ = accounts.create("anna@example.test")
    first = accounts.consumer_of(user)
    assert (first.name, first.kind, first.enabled, first.plan) == ("anna@example.test", "user", True, "")
    assert accounts.consumer_of(user) == first


@pytest.mark.django_db(transaction=True)
def test_two_who_need_it_at_once_get_the_same() -> None:
    """Neither fails."""
    user, _ = accounts.create("anna")
    ready, found = threading.Barrier(2), []

    def need() -> None:
        ready.wait(10)
        found.append(accounts.consumer_of(user).pk)
        connections.close_all()

    threads = [threading.Thread(target=need) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Consumer.objects.get().pk] * 2


def test_a_name_that_a_program_has_is_not_shared() -> None:
    """As could happen to an account that was made past the services."""
    consumers.create("anna")
    user = User.objects.create_user("anna")
    with pytest.raises(ValidationError, match="taken"):
        accounts.consumer_of(user)


def test_shutting_out_ends_sessions() -> None:
    """Only of whom it changes; letting in again brings none back."""
    anna, bert = accounts.create("anna")[0], accounts.create("bert")[0]
    session = sessions.open(anna, address="192.0.2.1", user_agent="test").session
    assert accounts.set_active([anna, bert], True, by="carl") == 0
    assert accounts.set_active([anna], False, by="carl") == 1
    session.refresh_from_db()
    assert session.end_reason == "account disabled"
    assert accounts.set_active([anna], True, by="carl") == 1
    assert not sessions.live(anna).exists()
