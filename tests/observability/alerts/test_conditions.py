"""One incident is told twice, whatever happens in between."""

from observability.alerts.conditions import BREAKER, MOST, TARGET, Condition, changes

OPEN = Condition(BREAKER, "orders", "orders", "open")
DOWN = Condition(TARGET, "orders http://a", "orders", "down")


def test_what_begins_and_what_ends() -> None:
    """What was told already, and goes on, is not told again; nor is what two workers say."""
    found = changes({OPEN.identity}, [OPEN, DOWN, DOWN], {BREAKER, TARGET})
    assert (found.begun, found.ended) == ([DOWN], [])
    found = changes({OPEN.identity, DOWN.identity}, [DOWN], {BREAKER, TARGET})
    assert (found.begun, found.ended) == ([], [OPEN.identity])


def test_what_nobody_looked_at_goes_on() -> None:
    """Silence is no good news."""
    assert changes({OPEN.identity}, [], {TARGET}).ended == []


def test_conditions_are_bounded() -> None:
    """A thousand of a kind."""
    many = [DOWN._replace(key=str(number)) for number in range(MOST + 5)]
    assert len(changes((), [*many, OPEN], {TARGET, BREAKER}).begun) == MOST + 1
