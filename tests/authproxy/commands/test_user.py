"""`gateway user create`, `list`, `enable` and `disable`."""

import pytest
from django.contrib.auth.models import Group, User

from authproxy import consumers
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_generated_password_is_alone_on_standard_output() -> None:
    """And is the account's."""
    ran = gateway("user", "create", "anna", "--email", "anna@Example.test", "--role", "analyst", "--staff")
    user = User.objects.get()
    assert user.check_password(ran.out.removesuffix("\n"))
    assert (user.email, user.is_staff, user.is_superuser) == ("anna@example.test", True, False)
    assert [group.name for group in user.groups.all()] == ["analyst"]


def test_a_given_password_is_not_repeated() -> None:
    """A weak one is remarked on, and taken: the operator has decided."""
    ran = gateway("user", "create", "anna", "--password", "secret")
    assert (ran.code, ran.out) == (0, "created user anna\n")
    assert "warning: This password is too short" in ran.err
    assert "secret" not in ran.out + ran.err
    assert User.objects.get().check_password("secret")


def test_programs_get_json() -> None:
    """With the password only where it was made up."""
    made = gateway("user", "create", "anna", "--json").data
    assert User.objects.get().check_password(made.pop("password"))
    assert made == gateway("user", "list", "--json").data[0]
    assert "password" not in gateway("user", "create", "bert", "--password", "a good long one", "--json").data


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("billing",), "username: This name is taken."),
        (("ANNA",), "username: This name is taken."),
        (("bert", "--email", "nonsense"), "email: Enter a valid email address."),
        (("bert", "--password", ""), "password: This is empty."),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], why: str) -> None:
    """In one line."""
    consumers.create("billing")
    User.objects.create_user("anna")
    ran = gateway("user", "create", *arguments)
    assert (ran.code, ran.out, ran.err) == (1, "", f"{why}\n")
    assert User.objects.count() == 1


def test_shutting_out_and_letting_in() -> None:
    """Once each."""
    User.objects.create_user("anna")
    assert gateway("user", "disable", "anna").out == "disabled anna\n"
    assert gateway("user", "disable", "anna").out == "nothing to do\n"
    assert not User.objects.get().is_active
    assert gateway("user", "enable", "anna", "--json").data["active"] is True
    ran = gateway("user", "enable", "ana")
    assert (ran.code, ran.err) == (1, 'there is no user "ana" (did you mean "anna"?)\n')


def test_people_get_a_line_each() -> None:
    """With roles and state."""
    gateway("user", "create", "bert", "--role", "b", "--role", "a")
    gateway("user", "create", "anna", "--staff")
    gateway("user", "disable", "bert")
    lines = gateway("user", "list").out.splitlines()
    assert [line.split() for line in lines] == [["anna", "staff"], ["bert", "roles", "a", "b", "disabled"]]
    assert Group.objects.count() >= 2
