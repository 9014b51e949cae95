"""Opaque credentials that show by themselves who made them."""

import random
import string

from hypothesis import given
from hypothesis import strategies as st

from authproxy import tickets

PEPPER = b"a pepper of the test's own"


def minted(brand: str = tickets.API_KEY, seed: int = 1) -> tickets.Ticket:
    return tickets.mint(brand, pepper=PEPPER, choice=random.Random(seed).choice)


def test_what_was_minted_is_recognised() -> None:
    ticket = minted()
    presented = ticket.text.encode()

    assert ticket.text.startswith(f"{ticket.prefix}_")
    assert tickets.prefix_of(presented, tickets.API_KEY, pepper=PEPPER) == ticket.prefix
    assert tickets.is_right(presented, ticket.digest, pepper=PEPPER)
    assert len(presented) == tickets.LONGEST


def test_brands_are_not_exchanged() -> None:
    assert tickets.prefix_of(minted().text.encode(), tickets.SESSION, pepper=PEPPER) is None


def test_another_servers_credentials_are_strangers() -> None:
    presented = minted().text.encode()

    assert tickets.prefix_of(presented, tickets.API_KEY, pepper=b"other") is None
    assert not tickets.is_right(presented, minted().digest, pepper=b"other")


@given(st.integers(0, tickets.LONGEST - 1), st.sampled_from(string.printable))
def test_changing_any_character_makes_a_stranger_of_it(place: int, character: str) -> None:
    text = minted().text
    changed = (text[:place] + character + text[place + 1 :]).encode()

    same = changed == text.encode()
    assert (tickets.prefix_of(changed, tickets.API_KEY, pepper=PEPPER) is not None) == same
    assert tickets.is_right(changed, minted().digest, pepper=PEPPER) == same


@given(st.binary(max_size=200))
def test_garbage_is_refused_without_an_error(presented: bytes) -> None:
    assert tickets.prefix_of(presented, tickets.API_KEY, pepper=PEPPER) is None


def test_end_of_line_is_not_overlooked() -> None:
    assert tickets.prefix_of(minted().text.encode() + b"\n", tickets.API_KEY, pepper=PEPPER) is None


def test_credentials_differ() -> None:
    assert len({minted(seed=seed).text for seed in range(200)}) == 200
    assert len({minted(seed=seed).prefix for seed in range(200)}) == 200


def test_digest_does_not_hold_the_credential() -> None:
    ticket = minted()

    assert len(ticket.digest) == 32
    assert ticket.text.encode() not in ticket.digest
