"""Changes of identity have growing numbers."""

import pytest

from authproxy.models import IdentityChange

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_number_is_never_given_again() -> None:
    """Not even when the newest row is gone."""
    first = IdentityChange.objects.create(subject="user:1", reason="test")
    number = first.pk
    first.delete()
    second = IdentityChange.objects.create(subject="user:1")
    assert second.pk > number
    assert str(second) == f"{second.pk} user:1"
