"""Which keys verify and which one signs, over time."""

import pytest

from authproxy.keyschedule import KeptKey, Schedule, schedule
from authproxy.signatures import UnusableKey, secret_key

LONGEST = 1000.0
DERIVED = secret_key("d" * 40, "HS256")


def kept(kid: str, activates_at: float, retires_at: float | None = None, algorithm: str = "HS256") -> KeptKey:
    return KeptKey.read(kid, algorithm, kid.encode() * 40, activates_at, retires_at)


def at(now: float, *keys: KeptKey, derived: bool = True) -> tuple[set[str | None], str | None, float]:
    """Who verifies, who signs, and until when that holds."""
    plan: Schedule = schedule(
        keys, derived=DERIVED if derived else None, algorithm="HS256", now=now, longest_s=LONGEST
    )
    assert plan.signing is None or plan.signing in plan.keys
    return {key.kid for key in plan.keys}, plan.signing.kid if plan.signing else None, plan.until


def test_derived_key_is_enough() -> None:
    """Before the first rotation it verifies and signs, for ever."""
    assert at(0) == ({None}, None, float("inf"))


def test_first_rotation() -> None:
    """The new key verifies at once and signs later; the derived one verifies until its last token has expired."""
    first = kept("a", 110)

    assert at(100, first) == ({"a", None}, None, 110)
    assert at(110, first) == ({"a", None}, "a", 1110)
    assert at(1110, first) == ({"a"}, "a", float("inf"))


def test_second_rotation() -> None:
    """The first key goes when it retires."""
    keys = kept("a", 110, 6010), kept("b", 5010)

    assert at(5000, *keys) == ({"a", "b"}, "a", 5010)
    assert at(5010, *keys) == ({"a", "b"}, "b", 6010)
    assert at(6010, *keys) == ({"b"}, "b", float("inf"))


def test_key_of_another_algorithm_only_verifies() -> None:
    """After JWT_ALGORITHM was changed, tokens of before go on to be accepted until they expire."""
    keys = kept("old", 0, 500, algorithm="HS512"), kept("new", 100)

    assert at(200, *keys, derived=False) == ({"old", "new"}, "new", 500)


def test_first_key_signs_before_its_time_where_nothing_else_can() -> None:
    """A clock that is behind the one which made the key stops nobody from signing in."""
    assert at(99, kept("a", 100), derived=False) == ({"a"}, "a", 100)
    assert at(99, derived=False) == (set(), None, float("inf"))


def test_keys_say_nothing_of_themselves() -> None:
    """Neither their text nor a refusal quotes the secret."""
    assert "aaaa" not in repr(kept("a", 0))
    with pytest.raises(UnusableKey) as refused:
        KeptKey.read("k", "RS256", b"sesame", 0)
    assert "sesame" not in str(refused.value)
