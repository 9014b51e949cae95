"""Counts come from the roll-ups."""

import pytest

from observability.rollups.tiers import MINUTE
from observability.slo.counting import counts
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def test_of_some_routes() -> None:
    """Clients that left are nobody's failure."""
    worker = Worker()
    worker.serve(3, status=500, seconds=0.01)
    worker.serve(2, status=499, seconds=0.01)
    worker.serve(1, route="other")
    worker.write()
    found = counts(["orders", "none"], AT, AT + MINUTE)
    assert list(found) == ["orders"]
    assert (found["orders"].valid, found["orders"].errors) == (3, 3)
