"""Dates of HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.dates import http_date, is_before, moment


@pytest.mark.parametrize(
    "written",
    [b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"],
)
def test_all_three_forms_are_read(written: bytes) -> None:
    """RFC 9110 section 5.6.7."""
    assert moment(written) == 784_111_777


@pytest.mark.parametrize("written", [b"", b"0", b"-1", b"1994", b"yesterday", b"x" * 100, b"\xff"])
def test_what_is_no_date_is_none(written: bytes) -> None:
    """Services write `Expires: 0`."""
    assert moment(written) is None
    assert not is_before(written, b"Sun, 06 Nov 1994 08:49:37 GMT")


@given(st.integers(0, 4_000_000_000))
def test_what_is_written_is_read(at: int) -> None:
    """To the second; and no date is later than itself."""
    assert moment(http_date(at)) == at
    assert is_before(http_date(at), http_date(at))
