"""How old answers are and how long they are fresh, against the words of the RFC."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.dates import http_date
from authproxy.caching.directives import read
from authproxy.caching.freshness import Received, Times, initial_age_s, lifetime_s, times_of
from routing.shapes.cache import CachePolicy

NOW = 1_800_000_000.0
NO_TTL = CachePolicy()


def received(
    control: bytes = b"", *, status: int = 200, at: float = NOW, delay: float = 0.0, **fields: bytes
) -> Received:
    return Received(status, {k.encode(): v for k, v in fields.items()}, read(control), at - delay, at)


def times(control: bytes = b"", policy: CachePolicy = NO_TTL, **more: object) -> Times:
    found = times_of(received(control, **more), policy)  # type: ignore[arg-type]
    assert found is not None
    return found


def reference_age(*, age: int, date: int | None, requested: float, arrived: float, now: float) -> float:
    """RFC 9111 section 4.2.3, in its own words."""
    apparent_age = max(0.0, arrived - date) if date is not None else 0.0
    response_delay = arrived - requested
    corrected_age_value = age + response_delay
    corrected_initial_age = max(apparent_age, corrected_age_value)
    resident_time = now - arrived
    return corrected_initial_age + resident_time


def reference_lifetime(
    s_maxage: int | None, max_age: int | None, expires: int | None, date: int | None, arrived: float
) -> float | None:
    """RFC 9111 section 4.2.1: the first that is there."""
    if s_maxage is not None:
        return s_maxage
    if max_age is not None:
        return max_age
    if expires is not None:
        return max(0.0, expires - (date if date is not None else arrived))
    return None


SECONDS = st.one_of(st.none(), st.integers(0, 100_000))


@given(
    s_maxage=SECONDS,
    max_age=SECONDS,
    expires=st.one_of(st.none(), st.integers(-5000, 5000)),
    date=st.one_of(st.none(), st.integers(-5000, 5000)),
    age=st.integers(0, 5000),
    delay=st.floats(0, 30),
    passed=st.floats(0, 200_000),
)
def test_age_and_lifetime_are_those_of_the_rfc(
    s_maxage: int | None, max_age: int | None, expires: int | None, date: int | None,
    age: int, delay: float, passed: float,
) -> None:  # fmt: skip
    """Whatever a service says, and whenever it is asked for."""
    control = [f"{n}={v}" for n, v in (("s-maxage", s_maxage), ("max-age", max_age)) if v is not None]
    fields = {"age": str(age).encode()}
    start = int(NOW)
    if date is not None:
        fields["date"] = http_date(start + date)
    if expires is not None:
        fields["expires"] = http_date(start + expires)
    answer = received(", ".join(control).encode(), delay=delay, **fields)
    said = (None if each is None else start + each for each in (expires, date))
    expires_at, date_at = said
    lifetime = reference_lifetime(s_maxage, max_age, expires_at, date_at, NOW)
    age_then = reference_age(age=age, date=date_at, requested=NOW - delay, arrived=NOW, now=NOW + passed)
    found = times_of(answer, CachePolicy())

    assert lifetime_s(answer) == lifetime
    assert abs(initial_age_s(answer) + passed - age_then) < 1e-3
    if lifetime is None:
        assert found is None
    else:
        assert found is not None
        assert abs((NOW + passed - found.born) - age_then) < 1e-3
        if abs(lifetime - age_then) > 1e-3:
            assert (found.fresh_until > NOW + passed) == (lifetime > age_then)


def test_ttl_is_for_answers_that_say_nothing() -> None:
    """Errors and redirects that may change have none; 404 and 410 have one of their own."""
    policy = CachePolicy(ttl_s=60, negative_ttl_s=5)

    assert times(policy=policy).fresh_until == NOW + 60
    assert times(b"max-age=7", policy).fresh_until == NOW + 7
    assert times(b"max-age=0", policy).fresh_until == NOW
    assert times(policy=policy, expires=b"0").fresh_until == NOW
    assert times(policy=policy, status=404).fresh_until == NOW + 5
    assert times_of(received(status=302), policy) is None
    assert times_of(received(status=500), policy) is None
    assert times_of(received(status=404), CachePolicy(ttl_s=60)) is None


def test_override_wins_over_what_is_said() -> None:
    """Also over no-cache; not for answers that `ttl` is not for."""
    policy = CachePolicy(ttl_s=60, overrides=True)
    found = times(b"max-age=1, no-cache", policy)

    assert (found.fresh_until, found.always_asks) == (NOW + 60, False)
    assert times(b"max-age=1", policy, status=500).fresh_until == NOW + 1


def test_ttl_counts_from_the_arrival() -> None:
    """A service whose clock is late is not always stale; its answer's age is told all the same."""
    found = times(policy=CachePolicy(ttl_s=60), date=http_date(NOW - 300))

    assert (found.fresh_until, found.born) == (NOW + 60, NOW - 300)


def test_stale_answers_may_be_used_as_they_say() -> None:
    """RFC 5861; else as the route says. Some forbid it."""
    policy = CachePolicy(stale_while_revalidate_s=1, stale_if_error_s=2)
    said = times(b"max-age=5, stale-while-revalidate=30, stale-if-error=40", policy)

    assert (said.while_revalidate_s, said.if_error_s, said.must_revalidate) == (30, 40, False)
    assert times(b"max-age=5", policy)[2:4] == (1, 2)
    for word in (b"must-revalidate", b"proxy-revalidate", b"s-maxage=9"):
        assert times(b"max-age=5, " + word, policy).must_revalidate


def test_no_cache_is_kept_to_be_asked_about() -> None:
    """It says no time, and needs none."""
    assert times(b"no-cache").always_asks
    assert times(b"no-cache").fresh_until == NOW
