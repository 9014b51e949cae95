"""The table of statuses, and the envelope that tells of one."""

from authproxy.grpc.statuses import UNKNOWN, error_of, status_of
from authproxy.rejections import Code


def test_numbers_that_are_none_are_unknown() -> None:
    """As the specification says."""
    assert status_of(17) is status_of(-1) is UNKNOWN
    assert [status_of(number).number for number in range(17)] == list(range(17))


def test_the_envelope_has_the_services_words() -> None:
    """With the gateway's code for the status, and how long to wait where clients may try again."""
    told = error_of(status_of(14), "", [], service="s")
    assert (told.status, told.code, told.message) == (
        503,
        Code.SERVICE_UNAVAILABLE,
        "The call ended with UNAVAILABLE.",
    )
    assert dict(told.headers) == {b"grpc-status": b"14", b"retry-after": b"1"}
    assert error_of(status_of(6), "there", [], service="s").status == 409
    assert error_of(status_of(12), "no", [], service="s").code is Code.BAD_GATEWAY
