"""Consumers and keys: what the database itself refuses."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from authproxy.models import ApiKey, Consumer

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def key(consumer: Consumer, name: str, prefix: str, **more: object) -> ApiKey:
    return ApiKey.objects.create(consumer=consumer, name=name, prefix=prefix, digest=b"d" * 32, **more)


def test_a_consumer_s_name_is_given_once() -> None:
    """As names of accounts are."""
    Consumer.objects.create(name="billing")
    with pytest.raises(IntegrityError), transaction.atomic():
        Consumer.objects.create(name="billing")


def test_its_kind_is_one_of_two() -> None:
    """And an account is never a service."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Consumer.objects.create(name="x", kind="robot")
    with pytest.raises(IntegrityError), transaction.atomic():
        Consumer.objects.create(name="x", kind="service", user=User.objects.create_user("x"))


def faults(row: Consumer | User) -> dict[str, list[str]]:
    """What is wrong with a row, by field."""
    try:
        row.full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


@pytest.mark.parametrize("name", ["anna@example.test", "größe", "a+b.c-d_e"])
def test_names_of_accounts_are_names_of_consumers(name: str) -> None:
    """They share one space."""
    assert faults(User(username=name, password="!")) == faults(Consumer(name=name)) == {}


@pytest.mark.parametrize("name", ["a b", "a\n", "", "a;b"])
def test_other_names_are_refused(name: str) -> None:
    """Where people type them."""
    with pytest.raises(ValidationError):
        Consumer(name=name).full_clean()


def test_a_key_s_name_is_free_again_once_it_is_revoked() -> None:
    """Per consumer."""
    billing, acme = Consumer.objects.create(name="billing"), Consumer.objects.create(name="acme")
    key(billing, "k", "tor_1", revoked_at=timezone.now())
    key(billing, "k", "tor_2")
    key(acme, "k", "tor_3")
    with pytest.raises(IntegrityError), transaction.atomic():
        key(billing, "k", "tor_4")


def test_people_see_the_prefix() -> None:
    """And never the hash."""
    row = key(Consumer.objects.create(name="billing"), "nightly", "tor_1")
    assert (str(row), str(row.consumer)) == ("nightly (tor_1…)", "billing")
    assert "d" * 32 not in repr(row)
