"""Signing keys are known by their kid."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from authproxy.models import SigningKey

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_kid_is_given_once() -> None:
    """And is all that is shown of a key."""
    row = SigningKey.objects.create(kid="k1", algorithm="HS256", sealed=b"x", activates_at=timezone.now())
    assert str(row) == "k1"
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(kid="k1", algorithm="HS256", sealed=b"x", activates_at=timezone.now())
