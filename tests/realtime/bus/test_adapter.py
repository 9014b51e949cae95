"""The words of the small protocol."""

from realtime.bus.adapter import HubRefused, Message


def test_what_is_left_out() -> None:
    """A message needs no type and no headers; a refusal is for good, and seldom for the size."""
    assert Message("1", "t", "", b"")[4:] == ("", {})
    assert not HubRefused("no").too_large
