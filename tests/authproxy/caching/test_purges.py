"""What operators have purged, and what still holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.purges import MOST, Purge, Purges, meant_by, url_forms
from routing.purgeurls import canonical

URL = ("https", b"a.example", b"/x", b"q=1")


def holds(purges: Purges, number: int, *, route: str = "r", tags: tuple[str, ...] = ("t",)) -> bool:
    return purges.holds(number, route=route, tags=tags, url=URL)


@pytest.mark.parametrize(
    ("purge", "ends"),
    [
        (Purge(5, "all"), True),
        (Purge(5, "route", "r"), True),
        (Purge(5, "route", "other"), False),
        (Purge(5, "tag", "t"), True),
        (Purge(5, "tag", "other"), False),
        (Purge(5, "url", "https://a.example/x?q=1"), True),
        (Purge(5, "url", "/x?q=1"), True),
        (Purge(5, "url", "/x"), False),
        (Purge(5, "url", "http://a.example/x?q=1"), False),
    ],
)
def test_an_order_ends_what_it_is_about(purge: Purge, ends: bool) -> None:
    """And what was asked for before it, not after."""
    purges = Purges()
    purges.add([purge])

    assert holds(purges, 4) is not ends
    assert holds(purges, 5)

    assert meant_by([purge])(URL, "r", ("t",)) is ends


def test_nothing_is_meant_by_no_orders() -> None:
    """A worker may learn of none."""
    assert not meant_by([])(URL, "r", ("t",))


def test_who_does_not_know_the_newest_orders_does_not_trust_the_better_informed() -> None:
    """It will know them in a moment."""
    purges = Purges()
    purges.add([Purge(5, "route", "x")])

    assert not holds(purges, 6)


@given(
    st.lists(st.tuples(st.sampled_from(["route", "tag"]), st.sampled_from(["r", "t", "u"])), max_size=20),
    st.integers(0, 20),
)
def test_orders_are_remembered_as_a_list_would(orders: list[tuple[str, str]], number: int) -> None:
    """The slow way: look through all of them."""
    numbered = [Purge(at, kind, value) for at, (kind, value) in enumerate(orders, start=1)]  # type: ignore[arg-type]
    purges = Purges()
    purges.add(reversed(numbered))
    ended = any(
        each.number > number and (each.kind, each.value) in (("route", "r"), ("tag", "t"))
        for each in numbered
    )

    assert holds(purges, number) == (number <= len(orders) and not ended)


def test_memory_is_bounded_and_forgets_on_the_safe_side() -> None:
    """What is not remembered any more is taken to be about everything."""
    purges = Purges()
    purges.add(Purge(number, "tag", str(number)) for number in range(1, MOST + 2))

    assert not holds(purges, 1)
    assert holds(purges, MOST + 1)


def test_a_request_has_two_forms() -> None:
    """With and without its host."""
    assert url_forms(URL) == ("https://a.example/x?q=1", "/x?q=1")
    assert canonical(url_forms(URL)[0]) == url_forms(URL)[0]
