"""Plans: a route has the steps that it uses, and no others."""

from typing import Any

from authproxy.steps import RoutePlan
from tests.support.callers import gatekeeper, planner
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of


def test_a_bare_route_has_no_admission_steps() -> None:
    """What is not used costs nothing."""
    raw = document(route(service="s"), services={"s": "http://127.0.0.1:1"})
    plan = snapshot_of(raw, prepare_route=planner()).routes["r"].plan

    assert isinstance(plan, RoutePlan)
    assert plan.admission == ()
    assert len(plan.callers_admission) == 1


def test_closed_route_asks_whether_the_caller_may() -> None:
    """Of everybody; who presents a credential is identified first. Unless authentication is switched off."""
    closed = {**route(respond={"status": 200}), "auth": {}}

    def steps(**more: Any) -> tuple[int, int]:
        keeper = gatekeeper(**more)
        plan = snapshot_of(document(closed), prepare_route=planner(keeper)).routes["r"].plan
        return len(plan.admission), len(plan.callers_admission)

    assert steps() == (1, 1)
    assert steps(is_on=False) == (0, 1)


def test_each_destination_has_its_own_answer() -> None:
    """Forwarding, redirecting and responding are three functions."""
    raw = document(
        route("a", path="/a", service="s"),
        route("b", path="/b", redirect={"path": "/a"}),
        route("c", path="/c", respond={"status": 204}),
        services={"s": "http://127.0.0.1:1"},
    )
    routes = snapshot_of(raw, prepare_route=planner()).routes

    assert len({routes[name].plan.destination.func for name in "abc"}) == 3
