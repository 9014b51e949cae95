"""What is told of an event that was published, or was not."""

from authproxy.bus import Published, Unpublished


def test_who_is_refused_is_told_when_to_come_again() -> None:
    assert Unpublished("the message hub is away").retry_after_s > 0
    assert Published("e1").id == "e1"
