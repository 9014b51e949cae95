"""Orders to purge, as rows."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from resilience.models import CachePurge
from resilience.rows.purges import LONGEST_VALUE
from routing.purgeurls import LONGEST_URL

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_an_order_says_what_it_is_about() -> None:
    """The latest comes first; the longest URL has room."""
    for kind, value in (("all", ""), ("url", "/" + "x" * (LONGEST_URL - 1))):
        CachePurge.objects.create(kind=kind, value=value, at=timezone.now(), by="anna")
    latest, first = CachePurge.objects.all()

    assert LONGEST_VALUE >= LONGEST_URL
    assert (str(first), latest.kind) == ("all", "url")


def test_no_other_kinds_are_kept() -> None:
    """Workers would not know what to do."""
    with pytest.raises(IntegrityError), transaction.atomic():
        CachePurge.objects.create(kind="x", at=timezone.now(), by="anna")
