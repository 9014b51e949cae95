"""`gateway consumer create`, `list`, `enable`, `disable` and `delete`."""

import pytest
from django.contrib.auth.models import Group, User

from authproxy import apikeys, consumers
from authproxy.models import ApiKey, Consumer, SecurityEvent
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_consumer_has_what_was_asked_for() -> None:
    """Kind, plan, roles and scopes; a role that is new is made, and told of."""
    Group.objects.create(name="analyst")
    ran = gateway(
        *("consumer", "create", "billing", "--kind", "service", "--plan", "gold"),
        *("--role", "analyst", "--role", "clerk", "--scope", "read", "--scope", "write"),
    )
    assert (ran.code, ran.out) == (0, "created service consumer billing\n")
    assert 'role "clerk" is new' in ran.err
    assert "analyst" not in ran.err
    assert 'no plan "gold"' in ran.err
    row = Consumer.objects.get()
    assert (row.kind, row.plan, row.scopes, row.enabled) == ("service", "gold", ["read", "write"], True)
    assert sorted(group.name for group in row.roles.all()) == ["analyst", "clerk"]


def test_programs_get_json() -> None:
    """Both what was made and what there is."""
    made = gateway("consumer", "create", "billing", "--scope", "read", "--json").data
    assert made == gateway("consumer", "list", "--json").data[0]
    assert {"name": "billing", "kind": "user", "scopes": ["read"], "account": None}.items() <= made.items()


def test_names_are_given_once() -> None:
    """Among consumers and accounts alike, in any case."""
    User.objects.create_user("anna")
    assert gateway("consumer", "create", "billing").code == 0
    for name in ("Billing", "anna"):
        ran = gateway("consumer", "create", name)
        assert (ran.code, ran.out, ran.err) == (1, "", "name: This name is taken.\n")
    assert Consumer.objects.count() == 1


@pytest.mark.parametrize("name", ["", "with space", "semi;colon", "x" * 151, "nul\0"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    """In one line."""
    ran = gateway("consumer", "create", name)
    assert ran.code == 1
    assert ran.err.startswith("name: ")
    assert ran.err.count("\n") == 1


def test_people_get_a_line_each() -> None:
    """With what is unusual about it."""
    consumers.create("billing", kind="service", scopes=["read"], plan="gold")
    gateway("consumer", "disable", "billing")
    consumers.create("acme")
    lines = gateway("consumer", "list").out.splitlines()
    assert lines[0].split() == ["acme", "user"]
    assert lines[1].split() == ["billing", "service", "disabled", "plan", "gold", "scopes", "read"]


@pytest.mark.django_db(transaction=True)
def test_shutting_out_and_letting_in() -> None:
    """Once each; who did it is kept as a security event."""
    consumers.create("billing")
    assert gateway("consumer", "disable", "billing", "--as", "carl").out == "disabled billing\n"
    assert gateway("consumer", "disable", "billing").out == "nothing to do\n"
    assert gateway("consumer", "enable", "billing", "--json").data["enabled"] is True
    assert Consumer.objects.get().enabled
    event = SecurityEvent.objects.get(kind="consumer_disabled")
    assert (event.actor, event.subject) == ("carl", "billing")


def test_deleting_takes_the_keys_along() -> None:
    """An unknown name is refused with the nearest one."""
    apikeys.create(consumers.create("billing"), "k", by="test")
    ran = gateway("consumer", "delete", "biling")
    assert (ran.code, ran.err) == (1, 'there is no consumer "biling" (did you mean "billing"?)\n')
    assert gateway("consumer", "delete", "billing").out == "deleted consumer billing\n"
    assert not ApiKey.objects.exists()
