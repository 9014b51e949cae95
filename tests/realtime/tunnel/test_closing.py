"""Closing frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.tunnel import closing
from realtime.tunnel.closing import NO_CODE, may_travel, payload_of, read_payload
from realtime.tunnel.violation import Violation

CODES = st.integers(0, 65_535)


@given(CODES, st.text(max_size=200))
def test_what_is_written_is_read(code: int, reason: str) -> None:
    """A control frame holds it; a long reason ends where a character does."""
    payload = payload_of(code, reason)
    assert len(payload) <= closing.MOST_BYTES
    if may_travel(code):
        found, said = read_payload(payload)
        assert found == code
        assert reason.encode("utf-8", "replace").decode().startswith(said)
    else:
        with pytest.raises(Violation):
            read_payload(payload)


@pytest.mark.parametrize(
    ("code", "travels"),
    [(999, False), (1000, True), (1004, False), (1005, False), (1006, False), (1011, True), (1012, True),
     (1015, False), (2999, False), (3000, True), (4401, True), (4999, True), (5000, False)],
)  # fmt: skip
def test_codes(code: int, travels: bool) -> None:
    """RFC 6455 section 7.4, and IANA's registry."""
    assert may_travel(code) is travels


@pytest.mark.parametrize(("payload", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007), (b"\x03\xed", 1002)])
def test_closing_frames_that_are_none(payload: bytes, code: int) -> None:
    """Half a code, a reason that is not UTF-8, a code that never travels."""
    with pytest.raises(Violation) as raised:
        read_payload(payload)
    assert raised.value.code == code


def test_no_code_is_an_empty_frame() -> None:
    assert read_payload(b"") == (NO_CODE, "")
