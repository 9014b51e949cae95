"""Consumers: the services through which they change, one by one and in bulk."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from authproxy import accounts, consumers
from authproxy.identity import Identity
from authproxy.models import Consumer, IdentityChange
from routing.models import Lease
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def changed() -> set[str]:
    return set(IdentityChange.objects.values_list("subject", flat=True))


def test_a_consumer_has_what_was_asked_for() -> None:
    """Scopes once each; nobody has to be told of somebody new."""
    role = Group.objects.create(name="analyst")
    made = consumers.create("billing", kind="service", plan="gold", roles=[role], scopes=["b", "a", "b"])
    row = Consumer.objects.get()
    assert row == made
    assert (row.kind, row.plan, row.scopes, list(row.roles.all())) == ("service", "gold", ["b", "a"], [role])


@pytest.mark.parametrize(
    "wrong", [{"name": "a b"}, {"name": "x", "kind": "robot"}, {"name": "x", "plan": "p" * 101}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    """By field."""
    with pytest.raises(ValidationError) as refused:
        consumers.create(**wrong)
    assert len(refused.value.message_dict) == 1


def test_many_are_shut_out_at_once() -> None:
    """Those that were let in are told of, and for an account the account, too."""
    user, _ = accounts.create("anna")
    anna, billing = accounts.consumer_of(user), consumers.create("billing")
    assert consumers.set_enabled(Consumer.objects.all(), False, by="carl") == 2
    assert consumers.set_enabled(Consumer.objects.all(), False, by="carl") == 0
    assert changed() == {f"consumer:{anna.pk}", f"user:{user.pk}", f"consumer:{billing.pk}"}
    assert not Consumer.objects.filter(enabled=True).exists()


def test_services_that_are_shut_out_have_nothing_registered() -> None:
    """And letting them in again brings nothing back."""
    for port, name in enumerate(("billing", "shipping"), 1):
        consumers.create(name, kind="service")
        registered(port=port, by=name)
    billing = Consumer.objects.filter(name="billing")
    consumers.set_enabled(billing, False, by="carl")
    consumers.set_enabled(billing, True, by="carl")
    found = Lease.objects.order_by("url").values_list("consumer", "state", "ended_by")
    assert list(found) == [("billing", "ended", "carl"), ("shipping", "approved", "")]


def test_who_may_register() -> None:
    """A service of ours while it is let in; of others, their provider decides."""
    billing = consumers.create("billing", kind="service")
    identity = Identity(
        method="api_key", kind="service", consumer="billing", subjects=(f"consumer:{billing.pk}",)
    )
    assert consumers.may_register(identity)
    assert consumers.may_register(Identity(method="jwt", kind="service", consumer="billing"))
    consumers.set_enabled(Consumer.objects.all(), False, by="carl")
    assert not consumers.may_register(identity)
    consumers.delete(billing)
    assert not consumers.may_register(identity)


def test_many_are_put_on_a_plan_at_once() -> None:
    """Only those that are not on it are told of."""
    acme, billing = consumers.create("acme", plan="gold"), consumers.create("billing")
    assert consumers.assign_plan(Consumer.objects.all(), "gold") == 1
    assert changed() == {f"consumer:{billing.pk}"}
    acme.refresh_from_db()
    assert acme.plan == "gold"


def test_changing_many_costs_as_many_queries_as_changing_few(django_assert_max_num_queries: object) -> None:
    """Bulk actions of admin stay quick."""
    Consumer.objects.bulk_create([Consumer(name=f"c{number}") for number in range(500)])
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        consumers.set_enabled(Consumer.objects.all(), False, by="carl")
    assert len(changed()) == 500


def test_a_deleted_consumer_is_told_of() -> None:
    """The account that it was stays."""
    user, _ = accounts.create("anna")
    pk = accounts.consumer_of(user).pk
    consumers.delete(Consumer.objects.get())
    assert changed() == {f"consumer:{pk}", f"user:{user.pk}"}
    user.refresh_from_db()
    assert user.is_active
