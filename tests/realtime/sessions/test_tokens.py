"""Resume tokens: their owner's, for a while, and nobody can make one."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.sessions import tokens

NOW = 1_800_000_000.0
PLACES = st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=20), max_size=10)


@given(places=PLACES, owner=st.text())
def test_gives_back_what_was_put_in(places: dict[str, str], owner: str) -> None:
    token = tokens.issue(b"key", owner, places, now=NOW)

    assert tokens.redeem(b"key", owner, token, now=NOW + 60) == places
    assert tokens.redeem(b"key", owner + "x", token, now=NOW) is None
    assert tokens.redeem(b"other", owner, token, now=NOW) is None
    assert tokens.redeem(b"key", owner, token, now=NOW + tokens.LIFETIME_S + 1) is None


@given(text=st.text())
def test_nothing_else_is_one(text: str) -> None:
    assert tokens.redeem(b"key", "ada", text, now=NOW) is None


def test_stays_short() -> None:
    """Else it would not fit into a query."""
    places = {f"{'x' * 190}{number}": "1-0" for number in range(100)}

    assert tokens.issue(b"key", "ada", places, now=NOW) == ""
