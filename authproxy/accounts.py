"""D: Accounts: making them, naming them, shutting them out; and the consumer that an account is.

Names of accounts and of consumers are one space: X-Consumer says either, and one must not pass for the other.
"""

import secrets
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from authproxy.models import Consumer
from routing import auditing
from routing.auditing import ordered

GENERATED_BYTES: Final = 15  # 20 characters
NAME_TAKEN: Final = "This name is taken."


def consumer_of(user: User) -> Consumer:
    """The consumer that the account is, made now if it was never needed. Raises ValidationError for a taken name."""
    found = Consumer.objects.filter(user=user).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Consumer.objects.create(name=user.get_username(), user=user, kind="user")
    except IntegrityError as error:
        found = Consumer.objects.filter(user=user).first()  # somebody else needed it at the same time
        if found is None:
            raise ValidationError(NAME_TAKEN, code="unique") from error
        return found


def is_taken(name: str, *, user: User | None = None, consumer: Consumer | None = None) -> bool:
    """Whether another account or consumer has this name, in any case. `user` and `consumer` are whose it may be.

    The address of another account is as good as its name: people sign in by either.
    """
    users = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name))
    consumers = Consumer.objects.filter(name__iexact=name)
    if user is None and consumer is not None:
        user = consumer.user
    if user is not None and user.pk is not None:
        users = users.exclude(pk=user.pk)
        consumers = consumers.exclude(user=user)
    if consumer is not None and consumer.pk is not None:
        consumers = consumers.exclude(pk=consumer.pk)
    return users.exists() or consumers.exists()


def create(
    name: str,
    *,
    email: str = "",
    password: str | None = None,
    roles: Iterable[Group] = (),
    is_staff: bool = False,
    hashed: Callable[[str], str] = make_password,
) -> tuple[User, str]:
    """A new account, and its password: the given one, or one that is made up. Raises ValidationError by field.

    Whether a given password is good enough is the caller's to ask. `hashed` makes what is stored of it.
    """
    user = User(username=name, email=User.objects.normalize_email(email), is_staff=is_staff)
    user.clean_fields(exclude=["password"])
    if is_taken(name):
        raise ValidationError({"username": NAME_TAKEN}, code="unique")
    if email and User.objects.filter(username__iexact=email).exists():
        raise ValidationError({"email": "This is somebody's name."}, code="unique")
    if password == "":
        raise ValidationError({"password": "This is empty."})
    password = password or secrets.token_urlsafe(GENERATED_BYTES)
    user.password = hashed(password)
    with transaction.atomic():
        user.save()
        user.groups.set(roles)
        given = {"email": user.email, "is_staff": is_staff}
        given |= {"groups": sorted(group.name for group in user.groups.all())}
        ordered("account.create", "account", name, by="", after=given)
    return user, password


def set_active(users: Iterable[User], is_active: bool, *, by: str) -> int:
    """Lets accounts in, or shuts them out and ends their sessions; how many it changed."""
    changes: tuple[dict[str, Any], ...] = ()
    with transaction.atomic():
        for user in users:
            if user.is_active != is_active:
                user.is_active = is_active
                user.changed_by = by  # type: ignore[attr-defined]
                user.save(update_fields=["is_active"])  # what follows from it: authproxy.signals
                was, is_now = {"is_active": not is_active}, {"is_active": is_active}
                changes += auditing.changed("account", user.get_username(), was, is_now)
        if changes:
            about = tuple((str(each["kind"]), str(each["name"])) for each in changes)
            word = "account.enable" if is_active else "account.disable"
            auditing.record(auditing.Deed(word, about, by, changes=changes))
    return len(changes)
