"""Texts go into every database, whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from routing.dbtext import db_text


@given(st.text(st.characters(codec=None), max_size=40), st.integers(1, 50))
def test_every_text_fits(text: str, length: int) -> None:
    """It can be encoded, has no NUL, and is no longer than its column; what was fine stays as it was."""
    kept = db_text(text, length)
    assert len(kept) <= length
    assert "\0" not in kept.encode().decode()
    if "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text) and len(text) <= length:
        assert kept == text


def test_what_stands_for_the_rest() -> None:
    """People see that something was there."""
    assert db_text("a\0\ud800b", 10) == "a\N{REPLACEMENT CHARACTER}?b"
    assert db_text("abcdef", 4) == "abc…"
