"""What the database itself refuses of services and targets, and where validation puts its errors."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from routing.models import Service, Target

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"protocol": "ftp"},
        {"load_balancing": "luck"},
        {"max_connections": 0},
        {"max_concurrency": 0},
    ],
)
def test_the_database_refuses_nonsense(values: dict[str, object]) -> None:
    """Also what comes past every form."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Service.objects.create(**{"name": "a", **values})


@pytest.mark.parametrize("values", [{"url": ""}, {"weight": 0}])
def test_the_database_refuses_impossible_targets(values: dict[str, object]) -> None:
    """A target has an address and a share."""
    parent = Service.objects.create(name="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        Target.objects.create(service=parent, **{"url": "http://a:1", **values})


def test_a_choice_may_come_from_the_environment() -> None:
    """`${PROTOCOL}` is stored as written."""
    Service.objects.create(name="a", protocol="${PROTOCOL:-http}")
    assert Service.objects.get().protocol == "${PROTOCOL:-http}"


def test_errors_are_at_their_columns() -> None:
    """Cleaning says what the document's validation says, at the field."""
    row = Service(name="a", timeout={"connect": "soon"}, max_connections=0)
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert set(refused.value.error_dict) == {"timeout", "max_connections"}
    assert "connect" in str(refused.value.error_dict["timeout"])


def test_a_target_is_cleaned_by_itself() -> None:
    """Its errors are at its own columns."""
    parent = Service.objects.create(name="a")
    Target(service=parent, url="http://127.0.0.1:1").full_clean()
    with pytest.raises(ValidationError) as refused:
        Target(service=parent, url="ftp://x").full_clean()
    assert set(refused.value.error_dict) == {"url"}
