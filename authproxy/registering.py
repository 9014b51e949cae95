"""D: Registration: an account that somebody makes for themselves, without learning who else has one."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Q

from authproxy import accounts, lockout
from authproxy.granting import Standing, standing
from authproxy.refusing import invalid, registered_too_often
from authproxy.security import SecurityEvent, emit

TAKEN = "An account with this name or this address cannot be made."


def register(*, username: str, email: str, password: str, address: str) -> Standing:
    """The new account. Raises Refused: for what is wrong by itself, by field; for what is taken, always the same.

    A refusal for the sake of another account costs as much as making one, and counts as much.
    """
    _check(User(username=username, email=User.objects.normalize_email(email)), password)
    if wait := lockout.claim_registration(address):
        emit(SecurityEvent("registration_refused", address=address))
        raise registered_too_often(wait)
    try:
        if _is_taken(username, email):
            make_password(password)
            raise invalid({"username": TAKEN})
        user, _ = accounts.create(username, email=email, password=password)
    except (ValidationError, IntegrityError) as error:  # somebody else was quicker
        raise invalid({"username": TAKEN}) from error
    emit(SecurityEvent("registered", user.username, user.username, address))
    made = standing(user)
    assert made is not None
    return made


def _is_taken(username: str, email: str) -> bool:
    """A name must not be the address of somebody else, nor the other way round: either signs in."""
    crossed = Q(email__iexact=email) | Q(email__iexact=username) | Q(username__iexact=email)
    has_name, has_address = accounts.is_taken(username), User.objects.filter(crossed).exists()
    return has_name or has_address


def _check(user: User, password: str) -> None:
    problems: dict[str, Any] = {}
    try:
        user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        problems |= error.message_dict
    try:
        validate_password(password, user)
    except ValidationError as error:
        problems["password"] = error.messages
    if problems:
        raise invalid(problems)
