"""What becomes of a request for which something is stored."""

import pytest

from authproxy.caching.asking import PLAIN, Asked
from authproxy.caching.freshness import Times
from authproxy.caching.judging import Use, judge, serves_instead_of_error

TIMES = Times(100.0, 160.0, while_revalidate_s=10.0, if_error_s=100.0)
STRICT = TIMES._replace(must_revalidate=True)


def asked(control: bytes) -> Asked:
    return Asked([(b"cache-control", control)])


@pytest.mark.parametrize(
    ("now", "control", "use"),
    [
        (159.0, b"", Use.FRESH),
        (160.0, b"", Use.MEANWHILE),
        (169.9, b"", Use.MEANWHILE),
        (170.0, b"", Use.ASK),
        (130.0, b"no-cache", Use.ASK),
        (130.0, b"max-age=30", Use.FRESH),
        (130.0, b"max-age=29", Use.ASK),
        (130.0, b"max-age=0", Use.ASK),
        (150.0, b"min-fresh=10", Use.FRESH),
        (151.0, b"min-fresh=10", Use.ASK),
        (165.0, b"min-fresh=1", Use.ASK),
        (500.0, b"max-stale", Use.STALE),
        (180.0, b"max-stale=20", Use.STALE),
        (181.0, b"max-stale=20", Use.ASK),
        (130.0, b"only-if-cached", Use.FRESH),
    ],
)
def test_requests_say_how_fresh_it_has_to_be(now: float, control: bytes, use: Use) -> None:
    """RFC 9111 section 5.2.1, RFC 5861 section 3."""
    assert judge(TIMES, asked(control), now) is use


def test_strict_answers_are_never_served_stale() -> None:
    """Neither to clients that would take them nor in place of an error."""
    assert judge(STRICT, PLAIN, 159.0) is Use.FRESH
    assert judge(STRICT, PLAIN, 160.0) is Use.ASK
    assert judge(STRICT, asked(b"max-stale"), 160.0) is Use.ASK
    assert not serves_instead_of_error(STRICT, PLAIN, 161.0)
    assert judge(TIMES._replace(always_asks=True), PLAIN, 101.0) is Use.ASK


def test_errors_are_hidden_for_a_while() -> None:
    """RFC 5861 section 4."""
    assert serves_instead_of_error(TIMES, PLAIN, 259.0)
    assert not serves_instead_of_error(TIMES, PLAIN, 260.0)
    assert not serves_instead_of_error(TIMES, asked(b"no-cache"), 161.0)
