"""Objectives of routes as they are compiled."""

import pytest

from observability.slo.burning import Objective
from observability.slo.objectives import objectives_of
from routing.compiler import CompileOptions, compile_snapshot
from routing.validation import check_document
from tests.support.gateway import document, route

DAY = 86400


def test_a_route_promises_one_or_both() -> None:
    """Percent become shares; the window is 30 days unless it says otherwise."""
    both = {"availability": 99.9, "latency": {"under": "300ms", "target": 99}, "window": "7d"}
    raw = document(
        route("a", path="/a", respond={}, slo=both),
        route("b", path="/b", respond={}, slo={"latency": {"under": "1s"}}),
        route("c", path="/c", respond={}),
    )
    found = objectives_of(compile_snapshot(raw, revision=1, options=CompileOptions()).routes.values())
    assert found == [
        Objective("a", "availability", 0.999, 7 * DAY),
        Objective("a", "latency", 0.99, 7 * DAY, 0.3),
        Objective("b", "latency", 0.99, 30 * DAY, 1.0),
    ]


@pytest.mark.parametrize(
    ("slo", "place"),
    [
        ({}, "slo"),
        ({"window": "7d"}, "slo"),
        ({"availability": 100}, "slo.availability"),
        ({"availability": 10}, "slo.availability"),
        ({"availability": 99, "window": "1h"}, "slo.window"),
        ({"latency": {"target": 99}}, "slo.latency.under"),
    ],
)
def test_what_cannot_be_promised(slo: dict[str, object], place: str) -> None:
    """Is refused with its place."""
    problems = check_document(document(route("a", path="/a", respond={}, slo=slo)), env={}).problems
    assert [each.path for each in problems] == [f"routes[0].{place}"]
