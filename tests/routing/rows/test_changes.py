"""Rows of reviews and schedules: what the database itself refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from routing.models import DraftComment, Schedule

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WHOLE: dict[str, Any] = {
    "author": "anna",
    "zone": "UTC",
    "starts_at": NOON,
    "ends_at": NOON + timedelta(hours=1),
    "edits": "[]",
    "summary": 'route "orders" enabled',
    "state": "scheduled",
}


@pytest.mark.parametrize("wrong", [{"state": "perhaps"}, {"ends_at": NOON}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """Whoever writes it."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Schedule.objects.create(**{**WHOLE, **wrong})
    Schedule.objects.create(**WHOLE)
    assert str(Schedule.objects.get()).endswith(': route "orders" enabled')


def test_a_comment_is_of_the_draft_there_is() -> None:
    """Until somebody says otherwise."""
    comment = DraftComment.objects.create(author="bert", text="why?")
    assert (comment.is_open, comment.is_rejection, str(comment)) == (True, False, "bert: why?")
