"""Service state: one object a name, kept until the name is gone."""

from resilience.state import StateTable


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


def test_repr_shows_what_one_asks_in_a_log() -> None:
    """The state's repr has its name and its counters."""
    assert repr(StateTable().get("orders", cursor=3)) == "<ServiceState orders cursor=3 in_flight=0>"
