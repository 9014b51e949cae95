"""What one consumer asked."""

import pytest

from observability.rollups.owned import Used, used
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def test_a_consumer_sees_its_own_requests_alone() -> None:
    """By route, in the time that is asked about."""
    worker = Worker()
    worker.serve(3, route="a", consumer="ann")
    worker.serve(5, route="b", consumer="ann", status=503, code="CIRCUIT_OPEN")
    worker.serve(9, route="a", consumer="bob")
    worker.write()

    found = used("ann", AT, AT + 60)

    assert [(each.route, each.requests, each.errors) for each in found] == [("b", 5, 5), ("a", 3, 0)]
    assert used("bob", AT, AT + 60) == [Used("a", 9, 0, 0)]
    assert used("ann", AT + 60, AT + 120) == []


@pytest.mark.parametrize("consumer", ["azure:" + "x" * 200, "azure:\0"])
def test_a_name_that_was_written_down_otherwise_is_found(consumer: str) -> None:
    """Too long for its column, or with what no database takes."""
    worker = Worker()
    worker.serve(3, route="a", consumer=consumer)
    worker.write()

    assert used(consumer, AT, AT + 60) == [Used("a", 3, 0, 0)]
