"""Requests of one route that are shared among several services."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.snapshot import services_of
from routing.splitting import (
    Share,
    Split,
    by_chance,
    by_key,
    cookies,
    forced,
    moved,
    percentages,
    remembered,
    set_cookie,
    settled,
    share_of,
)
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

NAMES = st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=6, unique=True)
KEYS = [b"caller-%d" % number for number in range(2000)]


@st.composite
def shares(draw: st.DrawFn) -> list[Share]:
    """At least one of them gets something by itself."""
    names = draw(NAMES)
    weights = draw(st.lists(st.integers(0, 100), min_size=len(names), max_size=len(names)))
    weights[draw(st.integers(0, len(names) - 1))] = draw(st.integers(1, 100))
    return [share_of(name, weight) for name, weight in zip(names, weights, strict=True)]


def of(**weights: int) -> list[Share]:
    return [share_of(name, weight) for name, weight in weights.items()]


def split(path: str = "/shop", **keys: Any) -> Split:
    services = {"a": "http://127.0.0.1:1", "b": "http://127.0.0.1:2", "c": "http://127.0.0.1:3"}
    backends = [{"service": "a", "weight": 9}, {"service": "b", "weight": 1}, {"service": "c", "weight": 0}]
    match = {"path_type": keys.pop("path_type", "prefix")}
    raw = document(route(path=path, backends=backends, match=match, **keys), services=services)
    found = snapshot_of(raw).routes["r"].destination
    assert isinstance(found, Split)
    return found


@given(shares(), st.floats(0, 1, exclude_max=True))
def test_chance_never_chooses_who_has_no_share(given_shares: list[Share], roll: float) -> None:
    """Whatever is rolled, somebody is chosen who has one."""
    found = by_chance(given_shares, roll)

    assert found is not None
    assert found.weight > 0


@given(shares())
def test_chance_keeps_to_the_weights(given_shares: list[Share]) -> None:
    """Exactly, over evenly spread rolls."""
    total = sum(share.weight for share in given_shares)
    found = Counter(by_chance(given_shares, (number + 0.5) / total) for number in range(total))

    assert found == {share: share.weight for share in given_shares if share.weight}


def test_nobody_is_chosen_where_nobody_has_a_share() -> None:
    """The document refuses that; a canary that went back may come to it."""
    assert by_chance(of(a=0, b=0), 0.5) is None
    assert by_key(of(a=0, b=0), b"k") is None
    assert percentages(of(a=0)) == {"a": 0.0}


def test_keys_are_spread_by_weight() -> None:
    """About, as they are many."""
    found = Counter(share.service for key in KEYS if (share := by_key(of(a=9, b=1), key)))

    assert 0.87 < found["a"] / len(KEYS) < 0.93


@given(shares(), st.integers(0, 5), st.integers(0, 100))
def test_a_changed_weight_moves_as_few_as_can_be(given_shares: list[Share], at: int, weight: int) -> None:
    """Whoever moves goes to the service whose weight grew, or comes from the one whose weight shrank."""
    at %= len(given_shares)
    old = given_shares[at]
    changed = [*given_shares]
    changed[at] = Share(old.service, weight, old.variant)
    for key in KEYS[:200]:
        before, after = by_key(given_shares, key), by_key(changed, key)
        if before is None or after is None or before.service == after.service:
            continue
        assert old.service == (after.service if weight > old.weight else before.service)


def test_order_does_not_matter_to_keys() -> None:
    """Nor who else is there."""
    some = of(a=5, b=5, c=5)
    for key in KEYS[:100]:
        assert by_key(some, key) == by_key(some[::-1], key)


def test_variants_outlive_changes() -> None:
    """They are the same for a name, whatever its weight; and tell outsiders nothing."""
    assert share_of("shop", 1).variant == share_of("shop", 99).variant
    assert b"shop" not in share_of("shop", 1).variant
    assert len({share_of(f"s{number}", 1).variant for number in range(1000)}) == 1000


def test_a_cookie_counts_while_its_service_has_a_share() -> None:
    """Then the client is given another."""
    a, b = of(a=9, b=1)

    assert remembered([a, b], [b"forged", b.variant, a.variant]) == b
    assert remembered([a, Share("b", 0, b.variant)], [b.variant]) is None
    assert remembered([a], [b.variant]) is None
    assert remembered([a, b], []) is None


def test_forcing_takes_services_of_the_route_only() -> None:
    """Whatever their weight is."""
    given_shares = of(a=1, b=0)

    assert forced(given_shares, b"b") == given_shares[1]
    assert forced(given_shares, b"other") is None
    assert forced(given_shares, b"") is None


def test_what_is_written_is_compiled() -> None:
    """Shares in order, names of fields in lower case."""
    found = split(sticky={"cookie": "variant"}, force={"header": "X-Variant"})

    assert [(share.service, share.weight) for share in found.shares] == [("a", 9), ("b", 1), ("c", 0)]
    assert (found.sticky, found.cookie, found.forced_by, found.forced_name) == (
        "cookie",
        b"variant",
        "header",
        b"x-variant",
    )
    assert split(sticky="consumer").sticky == "consumer"
    assert split(force={"cookie": "Which"}).forced_name == b"Which"
    assert services_of(found) == ("a", "b", "c")
    assert percentages(found.shares) == {"a": 90.0, "b": 10.0, "c": 0.0}


@pytest.mark.parametrize(
    ("path", "kind", "cookie_path"),
    [
        ("/", "prefix", b"/"),
        ("/shop/", "prefix", b"/shop"),
        ("/shop/items", "exact", b"/shop/items"),
        ("/shops/{id}/items", "template", b"/shops"),
        ("/shops/[0-9]+", "regex", b"/shops"),
        (".*", "regex", b"/"),
        ("/café", "prefix", b"/caf%C3%A9"),
        ("/a;b", "prefix", b"/a%3Bb"),
    ],
)
def test_the_cookie_is_for_the_route_s_paths(path: str, kind: str, cookie_path: bytes) -> None:
    """And cannot break out of its field."""
    found = split(path, path_type=kind, sticky={"cookie": "v"})

    assert found.cookie_path == cookie_path


def test_the_cookie_s_attributes() -> None:
    """RFC 6265 section 4.1."""
    found = split(sticky={"cookie": "v"})
    share = found.shares[0]
    plain = set_cookie(found, share, secure=False)

    assert plain == b"v=" + share.variant + b"; Path=/shop; HttpOnly; SameSite=Lax"
    assert set_cookie(found, share, secure=True) == plain + b"; Secure"


def test_cookies_are_all_looked_at() -> None:
    """A browser sends one for each path."""
    headers = [(b"cookie", b"a=1; v=x;v = y; xv=z"), (b"x", b"v=no"), (b"cookie", b"v=w")]

    assert list(cookies(headers, b"v")) == [b"x", b"y", b"w"]


def test_what_settles_a_request() -> None:
    """Its own word, then what is remembered; else chance."""
    found = split(sticky={"cookie": "v"}, force={"header": "x-v"})
    a, b, c = found.shares
    cookie = (b"cookie", b"v=" + b.variant)

    assert settled(found, [(b"x-v", b"c"), cookie], b"") == (c, "forced")
    assert settled(found, [(b"x-v", b"nobody"), cookie], b"") == (b, "cookie")
    assert settled(found, [(b"cookie", b"v=" + c.variant)], b"") is None
    assert settled(found, [], b"") is None
    by_caller = split(sticky="consumer", force={"cookie": "w"})
    assert settled(by_caller, [(b"cookie", b"w=a")], b"ada") == (a, "forced")
    share, why = settled(by_caller, [], b"ada") or (None, "")
    assert (share, why) == (by_key(by_caller.shares, b"ada"), "consumer")


def test_a_seeded_chance_counts_out() -> None:
    """As many as the weights say, give or take."""
    rng = Random(3)
    found = Counter(share.service for _ in KEYS if (share := by_chance(of(a=3, b=1), rng.random())))

    assert 0.72 < found["a"] / len(KEYS) < 0.78


@given(found=shares(), percent=st.floats(0, 100))
def test_a_canarys_share_is_what_it_should_be(found: list[Share], percent: float) -> None:
    """The others divide the rest as before; somebody always gets it."""
    if len(found) < 2:
        return
    after = moved(found, percent)
    told = percentages(after)
    assert abs(told[found[-1].service] - percent) < 0.02
    assert sum(share.weight for share in after) > 0
    before = [share.weight for share in found[:-1]]
    if any(before):
        factor = 10_000 - round(percent * 100)
        assert [share.weight for share in after[:-1]] == [weight * factor for weight in before]


@given(found=shares(), low=st.floats(0, 100), high=st.floats(0, 100))
def test_a_growing_canary_only_takes_callers(found: list[Share], low: float, high: float) -> None:
    """And one that shrinks only gives them away."""
    if len(found) < 2 or not any(share.weight for share in found[:-1]):
        return
    less, more = moved(found, min(low, high)), moved(found, max(low, high))
    canary = found[-1].service
    for key in KEYS[:50]:
        before, after = by_key(less, key), by_key(more, key)
        assert before is not None
        assert after is not None
        assert after.service in (before.service, canary)
