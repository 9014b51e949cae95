"""Registration, without HTTP around it."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User

from authproxy.refusing import Refused
from authproxy.registering import TAKEN, register

pytestmark = [pytest.mark.store, pytest.mark.django_db]

PASSWORD = "correct-horse-battery"


def enrol(username: str = "ada", email: str = "ada@example.com", password: str = PASSWORD) -> User:
    made = register(username=username, email=email, password=password, address="192.0.2.1").user
    assert made is not None
    return made


def test_an_account_is_made() -> None:
    """No staff, no roles; the domain of the address in lower case."""
    made = enrol(email="Ada@EXAMPLE.com")

    assert (made.username, made.email, made.is_staff, made.check_password(PASSWORD)) == (
        "ada",
        "Ada@example.com",
        False,
        True,
    )


def test_what_is_taken_costs_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash each, and one answer."""
    enrol()
    made: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        made.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    counts = []
    for name, email in (("bob", "bob@example.com"), ("ada", "x@example.com"), ("eve", "ada@example.com")):
        made.clear()
        if name == "bob":
            enrol(name, email)
        else:
            with pytest.raises(Refused) as refused:
                enrol(name, email)
            assert refused.value.rejection.details == {"username": [TAKEN]}
        counts.append(len(made))

    assert counts == [1, 1, 1]


def test_a_weak_password_is_told_before_what_is_taken() -> None:
    """So that nobody asks with passwords that could never be."""
    enrol()
    with pytest.raises(Refused) as refused:
        enrol(password="short")

    assert set(refused.value.rejection.details) == {"password"}
