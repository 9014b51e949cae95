"""Whose answers are whose: nobody is ever given another caller's."""

import re
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.keys import (
    EVERYBODY,
    NOBODY,
    Key,
    configuration_of,
    key_digest,
    owner_of,
    url_digest,
    values_of,
)
from authproxy.identity import Identity

ROLES: dict[str, frozenset[str]] = {"r": frozenset({"read"})}
URL = ("https", b"a.example", b"/x", b"q=1")
TEXT = st.text(alphabet="ab:,|\0 ", max_size=4)
BYTES = st.binary(max_size=3)


@st.composite
def callers(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "method": draw(st.sampled_from(["jwt", "api_key"])),
        "kind": draw(st.sampled_from(["user", "service"])),
        "user_id": draw(TEXT),
        "consumer": draw(TEXT),
        "provider": draw(TEXT),
        "plan": draw(TEXT),
        "roles": draw(st.sampled_from([frozenset(), frozenset({"r"})])),
    }


def key_of(identity: Identity | None, told: tuple[tuple[bytes, bytes], ...] = ()) -> Key:
    return Key(b"c", owner_of(identity, ROLES, told, is_minted=False), URL)


@given(callers(), callers())
def test_two_callers_never_share(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whatever distinguishes them as people distinguishes their answers; the way that they came by counts as well."""
    mine, theirs = key_of(Identity(**one)), key_of(Identity(**other))
    same = mine == theirs

    assert same == (key_digest(mine) == key_digest(theirs))
    assert not same or all(
        one[name] == other[name] for name in ("kind", "user_id", "consumer", "provider", "plan", "roles")
    )
    assert key_of(Identity(**one)) == mine


@given(callers())
def test_no_caller_shares_with_those_who_send_nothing(known: dict[str, Any]) -> None:
    """Nor with everybody, unless the answer says so itself: then it has another key."""
    for owner in (NOBODY, EVERYBODY):
        assert key_of(Identity(**known)).owner != owner
        assert key_of(None, ((b"cookie", b"a=1"),)).owner != owner


@given(
    st.lists(
        st.tuples(st.sampled_from([b"cookie", b"authorization", b"x-api-key", b"x-user-id"]), BYTES),
        max_size=3,
    )
)
def test_credentials_that_pass_distinguish(told: list[tuple[bytes, bytes]]) -> None:
    """A service that gets to see them may answer each differently."""
    seen = tuple(pair for pair in told if pair[0] != b"x-user-id")

    assert (key_of(None, tuple(told)) == key_of(None)) == (not seen)


def test_a_token_that_the_gateway_makes_does_not_distinguish() -> None:
    """It is another each time; who calls is in the key anyway."""
    ada = Identity(method="jwt", consumer="ada", user_id="1")
    tokens = [((b"authorization", b"Bearer " + each),) for each in (b"x", b"y")]
    owners = {owner_of(ada, ROLES, told, is_minted=True) for told in tokens}

    assert len(owners) == 1
    assert len({owner_of(ada, ROLES, told, is_minted=False) for told in tokens}) == 2


KEYS = st.builds(
    Key,
    BYTES,
    st.tuples(TEXT, st.tuples(st.tuples(BYTES, BYTES))),
    st.tuples(st.sampled_from(["http", "https"]), BYTES, BYTES, BYTES),
    st.lists(st.one_of(st.none(), BYTES), max_size=2).map(tuple),
)


@given(KEYS, KEYS, st.one_of(st.none(), st.lists(st.one_of(st.none(), BYTES), max_size=2).map(tuple)))
def test_digests_are_the_same_for_the_same_alone(one: Key, other: Key, values: Any) -> None:
    """Of the URL and the rest together, as they are stored."""
    mine, theirs = (
        (url_digest(one.url) + key_digest(one, values)),
        (url_digest(other.url) + key_digest(other, values)),
    )

    assert (mine == theirs) == (one == other)
    assert (key_digest(one, values) == key_digest(one)) == (values is None)


def test_values_are_joined() -> None:
    """Over all lists of fields; an absent one is not an empty one."""
    fields = [(b"accept", b" a "), (b"accept", b"b"), (b"x", b"")]

    assert values_of((b"accept", b"x", b"y", b"z"), fields, [(b"z", b"1")]) == (b"a, b", b"", None, b"1")


@dataclass(frozen=True)
class Part:
    names: frozenset[bytes]
    pattern: re.Pattern[str] | None = None
    runtime: object = field(default=None, compare=False)


def test_a_configuration_is_known_by_what_it_says() -> None:
    """Whatever order sets come in, and whatever hangs on it at run time."""
    base = {"a": Part(frozenset({b"x", b"y"}), re.compile("p"), object()), "b": 1}
    same = {"b": 1, "a": Part(frozenset({b"y", b"x"}), re.compile("p"), object())}

    assert configuration_of(base) == configuration_of(same)
    assert configuration_of(base) != configuration_of({**base, "b": "1"})
    assert configuration_of(base) != configuration_of({**base, "a": Part(frozenset({b"x"}), re.compile("p"))})
    assert configuration_of(base) != configuration_of(
        {**base, "a": Part(frozenset({b"x", b"y"}), re.compile("q"))}
    )
