"""How the targets of this process are, for whoever asks from another thread."""

from math import inf

from resilience.state import StateTable
from routing import livestates


def test_states_of_the_process_that_serves() -> None:
    """In words; nothing is known without one, nor of a service that it does not have."""
    states = StateTable()
    assert livestates.standings("s") is None
    livestates.bind(states)
    try:
        assert livestates.standings("s") is None
        service = states.get("s")
        service.settle(["u1", "u2", "u3", "u4", "u5"], ["u5"])
        service.target("u1").healthy = True
        service.target("u2").healthy = False
        service.target("u3").ejected_until = inf
        assert livestates.standings("s") == {
            "u1": "healthy",
            "u2": "unhealthy",
            "u3": "ejected",
            "u4": "unchecked",
            "u5": "draining",
        }
        livestates.unbind(StateTable())
        assert livestates.standings("s") is not None
    finally:
        livestates.unbind(states)
    assert livestates.standings("s") is None
