"""Owners as rows: one account or group, one service or route, once."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from routing.models import Owner, Route, Service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def made() -> dict[str, Any]:
    service = Service.objects.create(name="s")
    return {
        "user": User.objects.create_user("ada"),
        "group": Group.objects.create(name="team"),
        "service": service,
        "route": Route.objects.create(name="r", service=service),
    }


@pytest.mark.parametrize(
    "named",
    [
        ("user",),
        ("service",),
        ("user", "group", "service"),
        ("user", "service", "route"),
        (),
    ],
)
def test_other_than_one_of_each_is_refused(made: dict[str, Any], named: tuple[str, ...]) -> None:
    """By the form with words, and by the database."""
    owner = Owner(**{name: made[name] for name in named})
    with pytest.raises(ValidationError, match="Choose either"):
        owner.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        owner.save()


@pytest.mark.parametrize("who", ["user", "group"])
@pytest.mark.parametrize("what", ["service", "route"])
def test_nobody_owns_the_same_twice(made: dict[str, Any], who: str, what: str) -> None:
    """Once is enough."""
    Owner.objects.create(**{who: made[who], what: made[what]})
    again = Owner(**{who: made[who], what: made[what]})
    with pytest.raises(ValidationError, match="so already"):
        again.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


def test_owner_reads_as_a_sentence(made: dict[str, Any]) -> None:
    """In lists and histories."""
    assert str(Owner(user=made["user"], service=made["service"])) == "ada owns s"
    assert str(Owner(group=made["group"], route=made["route"])) == "team owns r"
