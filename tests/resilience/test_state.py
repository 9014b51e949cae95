"""Service state: one object a name, kept until the name is gone."""

from resilience.state import ServiceState, StateTable, TargetState


def test_the_same_name_gives_the_same_state() -> None:
    """A second look-up finds what the first one made, whatever cursor it brings."""
    table = StateTable()
    first = table.get("orders", cursor=7)

    assert table.get("orders", cursor=99) is first
    assert first.cursor == 7


def test_keep_forgets_every_other_name() -> None:
    """The table never outgrows the configured services."""
    table = StateTable()
    kept = table.get("kept")
    table.get("gone")

    table.keep(["kept", "not yet seen"])

    assert len(table) == 1
    assert table.get("kept") is kept


def test_targets_are_known_by_name() -> None:
    """A second look-up finds what the first one made."""
    state = ServiceState("orders")

    assert state.target("a") is state.target("a")
    assert state.target("b") is not state.target("a")


def test_settling_keeps_what_stays_and_forgets_what_goes() -> None:
    """Adding or removing a target never resets the others."""
    state = ServiceState("orders")
    stays = state.target("stays")
    stays.healthy, stays.ejections = False, 3
    state.target("goes")

    state.settle(["stays", "comes"], draining=["comes"])

    assert state.targets.keys() == {"stays", "comes"}
    assert state.target("stays") is stays
    assert (stays.healthy, stays.ejections, stays.drain) == (False, 3, False)
    assert state.target("comes").drain


def test_a_change_is_seen_by_pools() -> None:
    """The version goes up."""
    state = ServiceState("orders")
    before = state.version

    state.changed()

    assert state.version > before


def test_available_is_who_is_neither_unhealthy_nor_ejected() -> None:
    """Not being checked is no reason to be left out."""
    target = TargetState("a")
    assert target.is_available(0.0)
    target.healthy = True
    target.ejected_until = 5.0
    assert not target.is_available(4.9)
    assert target.is_available(5.0)
    target.healthy = False
    assert not target.is_available(5.0)


def test_repr_shows_what_one_asks_in_a_log() -> None:
    """Names and counters."""
    assert repr(StateTable().get("orders", cursor=3)) == "<ServiceState orders cursor=3 in_flight=0>"
    assert repr(TargetState("http://a:1")) == "<TargetState http://a:1 healthy=None in_flight=0>"


def test_peeking_makes_nothing() -> None:
    """Whoever only wants to know leaves no trace."""
    table = StateTable()
    assert table.peek("a") is None
    assert len(table) == 0
    assert table.peek("a") is None
    made = table.get("a")
    assert table.peek("a") is made
