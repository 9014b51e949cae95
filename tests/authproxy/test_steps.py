"""Plans of routes."""

from authproxy.steps import RoutePlan


def test_a_plan_changes_no_answer_unless_it_says_so() -> None:
    """Shapers are what few routes have."""

    async def destination(exchange: object) -> None: ...

    assert RoutePlan((), (), destination).shapers == ()
