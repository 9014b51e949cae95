"""Plans: a route has the steps that it uses, and no others."""

from authproxy.plan import RoutePlan, prepare_route
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of


def test_a_bare_route_has_no_admission_steps() -> None:
    """What is not used costs nothing."""
    raw = document(route(service="s"), services={"s": "http://127.0.0.1:1"})
    plan = snapshot_of(raw, prepare_route=prepare_route).routes["r"].plan

    assert isinstance(plan, RoutePlan)
    assert plan.admission == ()


def test_each_destination_has_its_own_answer() -> None:
    """Forwarding, redirecting and responding are three functions."""
    raw = document(
        route("a", path="/a", service="s"),
        route("b", path="/b", redirect={"path": "/a"}),
        route("c", path="/c", respond={"status": 204}),
        services={"s": "http://127.0.0.1:1"},
    )
    routes = snapshot_of(raw, prepare_route=prepare_route).routes

    assert len({routes[name].plan.destination.func for name in "abc"}) == 3
