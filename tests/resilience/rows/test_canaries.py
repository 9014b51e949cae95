"""Rows of canaries say in a word what they are, and only known stages can be written."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from resilience.models import CanaryEvent, CanaryState

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_only_known_stages_can_be_written() -> None:
    """By whichever way."""
    keys = {"service": "new", "mark": "m", "revision": 1, "policy": {}, "since": timezone.now(), "by": "x"}
    row = CanaryState.objects.create(route="r", **keys)
    assert str(row) == "r"
    with pytest.raises(IntegrityError):
        CanaryState.objects.filter(pk=row.pk).update(stage="lost")


def test_an_event_in_words() -> None:
    """What became of which route's."""
    assert str(CanaryEvent(route="r", stage="running", percent=25.0)) == "r: running at 25 %"
