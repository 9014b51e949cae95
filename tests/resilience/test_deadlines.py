"""What clients and services say and hear of the time that is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.deadlines import claimed_s, field, left_ms


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1", 0.001),
        (b" 500\t", 0.5),
        (b"00250", 0.25),
        (b"999999999", 999_999.999),
        (b"1000000000", None),
        (b"0", None),
        (b"000", None),
        (b"", None),
        (b"-5", None),
        (b"+5", None),
        (b"1.5", None),
        (b"1e3", None),
        (b"1_000", None),
        (b"500ms", None),
        (b"500, 600", None),
        ("٣".encode(), None),
        (b"\xb2", None),
    ],
)
def test_only_a_plain_number_of_milliseconds_is_a_claim(value: bytes, seconds: float | None) -> None:
    """Everything else is as if it were not there."""
    assert claimed_s(value) == seconds


@given(st.binary(max_size=24))
def test_no_bytes_raise_or_claim_nonsense(value: bytes) -> None:
    """A claim is a millisecond at least and about eleven days at most."""
    claim = claimed_s(value)

    assert claim is None or 0.001 <= claim < 1_000_000


@pytest.mark.parametrize(
    ("left_s", "milliseconds"), [(0.5, 500), (0.0019, 1), (0.0001, 1), (0.0, 1), (-3.0, 1), (60.0, 60_000)]
)
def test_what_is_left_is_rounded_down_but_never_nothing(left_s: float, milliseconds: int) -> None:
    """A service that is called has at least a millisecond to say so."""
    assert left_ms(left_s, 0.0) == milliseconds
    assert field(left_s, 0.0) == (b"x-request-timeout-ms", str(milliseconds).encode())


@given(deadline=st.floats(0, 1e6), now=st.floats(0, 1e6))
def test_a_service_is_never_told_more_than_is_left(deadline: float, now: float) -> None:
    """What one gateway says, the next can read, and it is no later than the deadline."""
    claim = claimed_s(field(deadline, now)[1])

    assert claim is not None
    assert claim <= max(0.001, deadline - now)
