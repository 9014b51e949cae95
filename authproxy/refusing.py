"""P: A refusal, thrown by an endpoint; whoever serves endpoints turns it into the error envelope."""

from collections.abc import Mapping, Sequence
from typing import Any

from authproxy.rejections import Code, Rejection


class Refused(Exception):  # noqa: N818 - a refusal is no error of the program
    """The endpoint does not do what it was asked."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


def invalid(fields: Mapping[str, Sequence[str] | str]) -> Refused:
    """What was sent is not what is wanted; why, by field."""
    details: dict[str, Any] = {
        name: [why] if isinstance(why, str) else [str(each) for each in why] for name, why in fields.items()
    }
    return Refused(Rejection(Code.VALIDATION_ERROR, "Some fields are not valid.", details=details))


def locked(wait_s: int) -> Refused:
    """Too many failed sign-ins; the same whether or not there is such an account."""
    return _too_many("failed sign-ins", wait_s)


def registered_too_often(wait_s: int) -> Refused:
    """Too many registrations; the same whether or not this one would have been made."""
    return _too_many("registrations from this address", wait_s)


def _too_many(what: str, wait_s: int) -> Refused:
    return Refused(
        Rejection(
            Code.RATE_LIMIT,
            f"There were too many {what}. Wait before the next one.",
            details={"retry_after": wait_s},
            headers=((b"retry-after", str(wait_s).encode()),),
        )
    )


def not_signed_in(reason: str, message: str, *, realm: str) -> Refused:
    """What was brought proves nobody."""
    return Refused(
        Rejection(
            Code.AUTH_ERROR,
            message,
            details={"reason": reason},
            headers=((b"www-authenticate", f'Bearer realm="{realm}"'.encode("latin-1")),),
        )
    )


def forbidden(message: str) -> Refused:
    """The caller may not; `message` says why."""
    return Refused(Rejection(Code.FORBIDDEN, message))


def not_found(message: str) -> Refused:
    return Refused(Rejection(Code.NOT_FOUND, message))


def conflicting(message: str) -> Refused:
    """It cannot be done as things stand; `message` says what stands against it."""
    return Refused(Rejection(Code.CONFLICT, message))
