"""Revisions as values."""

from routing.revision import checksum


def test_a_checksum_notices_a_changed_byte() -> None:
    """It is that of the text, whatever characters it holds."""
    assert checksum("a") != checksum("b")
    assert checksum("grüße \ud800") == checksum("grüße \ud800")
