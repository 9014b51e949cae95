"""The one-way switch."""

from gateway_project.server.draining import DrainState


def test_begins_once() -> None:
    """Listeners hear of it once, late ones at once."""
    heard = []
    state = DrainState()
    state.on_begin(lambda: heard.append("early"))
    before = state.draining
    state.begin()
    state.begin()
    state.on_begin(lambda: heard.append("late"))

    assert (before, state.draining) == (False, True)
    assert heard == ["early", "late"]
    assert repr(state) == "DrainState(draining=True)"
