"""What a request presents, in which order, and what goes on to the upstream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.credentials import (
    CALLERS_COOKIES,
    METHODS,
    STAFF_COOKIES,
    Presented,
    is_foreign,
    presented,
    remaining,
)
from authproxy.headers import CREDENTIALS, Pair
from authproxy.identity import Method
from routing.snapshot import CompiledProvider

PROVIDER = CompiledProvider(
    name="azure", issuers=frozenset(), audiences=frozenset(), jwks_url="http://x", discovery_url=None,
    secret=None, cookie="access_token", algorithms=frozenset({"RS256"}),
)  # fmt: skip
BEARER, API_KEY = (b"authorization", b"Bearer t"), (b"x-api-key", b"k")
COOKIES = (b"cookie", b"a=1; torana_session=s; access_token=p; torana_admin=z")


def seen(pairs: list[Pair], methods: tuple[Method, ...] = METHODS) -> list[tuple[Method, bytes]]:
    return [(each.method, each.value) for each in presented(pairs, methods, (PROVIDER,))]


@pytest.mark.parametrize(
    ("pair", "found"),
    [
        (BEARER, [("jwt", b"t")]),
        ((b"authorization", b"bearer  t"), [("jwt", b" t")]),
        ((b"authorization", b"BEARER t u"), [("jwt", b"t u")]),
        ((b"authorization", b"Bearer"), [("jwt", b"")]),
        ((b"authorization", b"ApiKey k"), [("api_key", b"k")]),
        ((b"authorization", b"Basic dTpw"), []),
        ((b"authorization", b"Digest username=x"), []),
        ((b"authorization", b"t"), []),
        ((b"authorization", b""), []),
        (API_KEY, [("api_key", b"k")]),
        ((b"x-api-key", b""), [("api_key", b"")]),
        ((b"x_api_key", b"k"), []),
        ((b"cookie", b"torana_session=s"), [("session", b"s")]),
        ((b"cookie", b"a=b;torana_session=s;c"), [("session", b"s")]),
        ((b"cookie", b"torana_session="), []),
        ((b"cookie", b"torana_session"), []),
        ((b"cookie", b"Torana_Session=s; xtorana_session=t"), []),
        ((b"cookie", b"access_token=p"), [("jwt", b"p")]),
        ((b"cookie", b'access_token="Bearer p"'), [("jwt", b"p")]),
        ((b"cookie", b'access_token="""p"""'), [("jwt", b'""p""')]),
        ((b"cookie", b'access_token="'), [("jwt", b"")]),
        ((b"cookie", b""), []),
    ],
)
def test_where_credentials_stand(pair: Pair, found: list[tuple[Method, bytes]]) -> None:
    """Schemes in any case; names of cookies as they are; what is not the gateway's is not looked at."""
    assert seen([pair]) == found


def test_order_is_the_routes() -> None:
    """Whatever order the client chose; methods that the route does not take are not there."""
    pairs = [COOKIES, API_KEY, BEARER]

    assert seen(pairs) == [("jwt", b"t"), ("jwt", b"p"), ("api_key", b"k"), ("session", b"s")]
    assert seen(pairs, ("session", "api_key")) == [("session", b"s"), ("api_key", b"k")]


@pytest.mark.parametrize(
    "pairs",
    [
        [BEARER, BEARER],
        [BEARER, (b"authorization", b"Basic dTpw")],
        [API_KEY, (b"x-api-key", b"other")],
    ],
)
def test_field_that_comes_twice_proves_nothing(pairs: list[Pair]) -> None:
    """An upstream might read the other one; the empty value is never valid."""
    found = seen(pairs)

    assert found
    assert {value for _, value in found} == {b""}


def test_cookie_may_come_a_few_times() -> None:
    """Browsers send one for each path and domain that it was set for; thousands are somebody's attack."""
    text = b"; ".join(b"torana_session=%d" % n for n in range(1000))

    assert [value for _, value in seen([(b"cookie", text)])] == [b"0", b"1", b"2"]


def won(pairs: list[Pair], method: Method) -> Presented:
    return next(each for each in presented(pairs, METHODS, (PROVIDER,)) if each.method == method)


@pytest.mark.parametrize(
    ("pairs", "method", "left"),
    [
        ([BEARER, API_KEY], "jwt", [API_KEY]),
        ([BEARER, API_KEY, (b"x_api_key", b"j")], "api_key", [BEARER]),
        (
            [BEARER, (b"cookie", b"a=1; torana_session=s; b=2")],
            "session",
            [BEARER, (b"cookie", b"a=1; b=2")],
        ),
        ([(b"cookie", b"torana_session=s")], "session", []),
        ([(b"cookie", b"access_token=p; torana_session=s")], "jwt", [(b"cookie", b"torana_session=s")]),
    ],
)
def test_auto_leaves_out_only_what_won(pairs: list[Pair], method: Method, left: list[Pair]) -> None:
    """An upstream with an authentication of its own behind it goes on working."""
    assert remaining(pairs, forward="auto", won=won(pairs, method), providers=(PROVIDER,)) == left


def test_none_leaves_out_all_that_the_gateway_knows() -> None:
    """Every spelling, every cookie of its own and of providers; the application's cookies stay."""
    pairs = [(b"authorization", b"Basic x"), (b"x_api-key", b"k"), COOKIES]

    assert remaining(pairs, forward="none", won=None, providers=(PROVIDER,)) == [(b"cookie", b"a=1")]


@pytest.mark.parametrize("forward", ["auto", "all", "none"])
@pytest.mark.parametrize("cookie", [b"torana_admin", b"torana_csrf", b"torana_refresh", b" torana_admin "])
def test_staff_cookies_never_go_on(forward: str, cookie: bytes) -> None:
    """They open the gateway itself."""
    pairs = [(b"cookie", b"%s=v; a=1" % cookie)]

    assert remaining(pairs, forward=forward, won=None) == [(b"cookie", b"a=1")]  # type: ignore[arg-type]


def test_all_else_goes_on_as_it_came() -> None:
    """Byte for byte, in its order."""
    pairs = [(b"cookie", b'a="1";  b= 2 ;;c'), (b"authorization", b"Basic  x"), API_KEY, (b"cookie", b"d=4")]

    assert remaining(pairs, forward="all", won=None) == pairs
    assert remaining(pairs, forward="auto", won=None) == pairs


@pytest.mark.parametrize(
    ("pairs", "foreign"),
    [
        ([], True),
        ([(b"cookie", b"a=1; b=2"), (b"cookie", b"c=3")], True),
        ([(b"cookie", b"a=1"), (b"cookie", b"torana_admin=1")], False),
        ([(b"cookie", b"a=1"), BEARER], False),
        ([(b"authorization", b"Basic x")], False),
        ([(b"x_api_key", b"x")], False),
    ],
)
def test_application_s_own_cookies_show_at_first_sight(pairs: list[Pair], foreign: bool) -> None:
    """Unless a provider's token may come in any cookie that its configuration names."""
    assert is_foreign(pairs, ()) is foreign
    assert not is_foreign(pairs, (PROVIDER,))


def test_every_cookie_of_the_gateway_shows_its_prefix() -> None:
    """What `is_foreign` relies on."""
    assert all(name.startswith(b"torana_") for name in STAFF_COOKIES | CALLERS_COOKIES)


@given(st.lists(st.tuples(st.sampled_from(sorted(CREDENTIALS)), st.binary(max_size=60))))
def test_any_bytes_are_read(pairs: list[Pair]) -> None:
    """Nothing raises, and what is kept was there."""
    found = presented(pairs, METHODS, (PROVIDER,))
    left = remaining(pairs, forward="auto", won=found[0] if found else None, providers=(PROVIDER,))

    assert {name for name, _ in left} <= {name for name, _ in pairs}


def test_nothing_shows_the_value() -> None:
    """A credential in a traceback is a leak."""
    assert "secret" not in repr(presented([(b"x-api-key", b"secret")], METHODS))
