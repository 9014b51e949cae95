"""P: Refusals of requests that are not as a route wants them, each with the reason under which it is counted."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from authproxy.rejections import Code, Rejection
from authproxy.shaping.findings import Detail, shown
from authproxy.shaping.jsontext import JsonFault

POLICY: Final = "validate"
MOST_SHOWN: Final = 80


class Unfit(NamedTuple):
    """Why a request does not pass."""

    reason: str
    rejection: Rejection


def invalid_query(errors: Sequence[Detail]) -> Unfit:
    return Unfit("query_schema", _invalid("The query is not as it must be.", errors=list(errors)))


def unreadable_query() -> Unfit:
    """Too many parameters, or text that is not UTF-8."""
    message = "The query cannot be read: it must be UTF-8, of at most 1000 parameters."
    return Unfit("query_schema", _invalid(message))


def invalid_body(errors: Sequence[Detail]) -> Unfit:
    return Unfit("body_schema", _invalid("The body is not as it must be.", errors=list(errors)))


def not_json(fault: JsonFault) -> Unfit:
    """Says where."""
    details: Detail = {"reason": fault.reason}
    if fault.reason in ("malformed", "encoding"):
        details |= {"line": fault.line, "column": fault.column}
    elif fault.member is not None:
        details["member"] = shown([], fault.member)
    return Unfit(fault.reason, _invalid(fault.message, **details))


def no_body(accepted: Sequence[str]) -> Unfit:
    return Unfit("empty", _invalid("The body is empty.", reason="empty", expected=list(accepted)))


def media_type(found: str | None, accepted: Sequence[str]) -> Unfit:
    """RFC 9110 section 15.5.16: `Accept` says what would be taken."""
    told = "is missing" if found is None else "is not accepted here"
    details = {"content_type": None if found is None else found[:MOST_SHOWN], "accepted": list(accepted)}
    return Unfit("content_type", _unsupported(f"The request's media type {told}.", details, accepted))


def charset(found: str, accepted: Sequence[str]) -> Unfit:
    details = {"charset": found[:MOST_SHOWN], "accepted": ["utf-8"]}
    return Unfit("charset", _unsupported("The body must be UTF-8.", details, accepted))


def coding() -> Unfit:
    """A compressed body cannot be judged. RFC 9110 section 12.5.3: Accept-Encoding in an answer."""
    return Unfit(
        "coding",
        Rejection(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "The body must not be compressed.",
            details={"accepted": ["identity"]},
            headers=((b"accept-encoding", b"identity"),),
        ),
    )


def too_large(message: str, details: Detail) -> Unfit:
    return Unfit("size", Rejection(Code.PAYLOAD_TOO_LARGE, message, details=details, close=True))


def malformed_upload(message: str, details: Detail) -> Unfit:
    return Unfit("multipart", Rejection(Code.VALIDATION_ERROR, message, details=details, close=True))


def unreadable_file(message: str, details: Detail) -> Unfit:
    """Where a file should be, there is none."""
    return Unfit("data_url", Rejection(Code.VALIDATION_ERROR, message, details=details))


def file_type(message: str, details: Detail) -> Unfit:
    """What a file is, as it says or as it turns out."""
    return Unfit("file_type", Rejection(Code.UNSUPPORTED_MEDIA_TYPE, message, details=details, close=True))


def _invalid(message: str, **details: Any) -> Rejection:
    return Rejection(Code.VALIDATION_ERROR, message, details=details)


def _unsupported(message: str, details: Detail, accepted: Sequence[str]) -> Rejection:
    listed = ", ".join(accepted).encode("ascii", "replace")
    return Rejection(
        Code.UNSUPPORTED_MEDIA_TYPE,
        message,
        details=details,
        headers=((b"accept", listed),) if listed else (),
    )
