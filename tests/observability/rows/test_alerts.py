"""What the database itself holds of alerts."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from observability.models import Incident

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_an_incident_goes_on_once() -> None:
    """Even if two workers wrote it down at the same time; one that is over does not count."""
    now = timezone.now()
    keys: dict[str, Any] = {"kind": "breaker", "key": "orders", "subject": "orders", "severity": "critical"}
    Incident.objects.create(at=now, resolved_at=now, **keys)
    Incident.objects.create(at=now, **keys)
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.create(at=now, **keys)
