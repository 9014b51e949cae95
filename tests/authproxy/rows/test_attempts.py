"""Failed sign-ins are counted once for each bucket."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from authproxy.models import FailedSignIn

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_bucket_has_one_row() -> None:
    """Which says how often it failed."""
    now = timezone.now()
    row = FailedSignIn.objects.create(bucket=b"b" * 32, failures=3, first_at=now, last_at=now)
    assert str(row) == "3 failures"
    with pytest.raises(IntegrityError), transaction.atomic():
        FailedSignIn.objects.create(bucket=b"b" * 32, first_at=now, last_at=now)
