"""Objectives as pages, the command line and the control API tell of them, by real rows."""

import pytest

from observability.rollups.tiers import MINUTE
from observability.slo.standing import in_words, standing
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
SLO = {"availability": 99, "latency": {"under": "300ms", "target": 90}}


def published() -> None:
    routes = [
        {"name": "orders", "match": {"path": "/a"}, "respond": {}, "slo": SLO},
        {"name": "other", "match": {"path": "/b"}, "respond": {}},
    ]
    apply_document({"version": 1, "routes": routes}, actor=Actor("ada"))


def test_what_is_left() -> None:
    """Of both objectives of a route."""
    published()
    worker = Worker()
    worker.serve(990, seconds=0.01)
    worker.serve(5, seconds=2.0)
    worker.serve(5, status=500, seconds=0.01)
    worker.write()
    availability, latency = standing(AT + MINUTE)
    assert (availability["requests"], availability["bad"], availability["budget_left"]) == (1000, 5, 0.5)
    assert (latency["bad"], latency["budget_left"], latency["burning"]) == (5, 0.95, None)
    assert in_words(availability) == (
        "availability 99 % over 30 days: 99.500 % reached, 50.0 % of the budget left (5 of 1000 were bad)"
    )
    assert "under 300 ms" in in_words(latency)


def test_nothing_asked_and_nothing_promised() -> None:
    """Says so."""
    assert standing(AT) == []
    published()
    first, _ = standing(AT)
    assert in_words(first) == "availability 99 % over 30 days: no request yet"
    assert standing(AT, route="other") == []
