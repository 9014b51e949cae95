"""Rows of counted quotas: one for each bucket."""

import pytest
from django.db import IntegrityError, transaction

from resilience.models import QuotaCount

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_each_bucket_has_one_row() -> None:
    """So that one statement raises it, whichever worker writes."""
    assert str(QuotaCount.objects.create(bucket="m|free|consumer:ada", count=3, ends_s=1)) == (
        "m|free|consumer:ada: 3"
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        QuotaCount.objects.create(bucket="m|free|consumer:ada", count=4, ends_s=2)
