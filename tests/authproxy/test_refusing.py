"""What endpoints throw when they refuse."""

from collections.abc import Callable

import pytest

from authproxy import refusing
from authproxy.rejections import Code


def test_reasons_come_by_field() -> None:
    """Always as lists of texts, whoever says them."""
    rejection = refusing.invalid({"name": "No.", "email": ["Not so.", "Nor so."]}).rejection

    assert (rejection.code, rejection.status) == (Code.VALIDATION_ERROR, 400)
    assert rejection.details == {"name": ["No."], "email": ["Not so.", "Nor so."]}


@pytest.mark.parametrize("refuse", [refusing.locked, refusing.registered_too_often])
def test_too_many_are_told_when_to_come_again(refuse: Callable[[int], refusing.Refused]) -> None:
    """In the field that clients look at, and in the details."""
    rejection = refuse(12).rejection

    assert (rejection.status, rejection.details, rejection.headers) == (
        429,
        {"retry_after": 12},
        ((b"retry-after", b"12"),),
    )


def test_not_signed_in_says_how() -> None:
    """RFC 9110 section 11.6.1: a 401 has a challenge."""
    rejection = refusing.not_signed_in("invalid", "No.", realm="here").rejection

    assert (rejection.status, rejection.headers) == (401, ((b"www-authenticate", b'Bearer realm="here"'),))


def test_the_rest() -> None:
    """The message is what people read."""
    assert (refusing.forbidden("No.").rejection.status, str(refusing.forbidden("No."))) == (403, "No.")
    assert refusing.not_found("None.").rejection.status == 404
