"""D: What calls of the control API have in common: their query, preconditions, and refusals of the configuration."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control import paging, preconditions
from authproxy.refusing import Refused, invalid
from authproxy.rejections import Code, Rejection
from authproxy.views.base import Endpoint
from authproxy.views.documented import QUERY, TAGGED
from routing.locking import StoreUnavailable, clear_errors
from routing.models import EditConflict
from routing.problems import ConfigurationInvalid, did_you_mean
from routing.publishing import Outcome, PublishRefused

MESSAGE_FIELD: Final = "X-Change-Message"
LONGEST_MESSAGE: Final = 1000
LONGEST_WORD: Final = 200
SHOWN_PROBLEMS: Final = 100
SHOWN_TAGS: Final = 100
_FLAGS: Final = {"true": True, "1": True, "": True, "false": False, "0": False}
_RETRY_SOON: Final = ((b"retry-after", b"2"),)


class ControlEndpoint(Endpoint):
    """One path of the control API. Parameters that are not documented are refused: a mistyped `dry_run` would
    change."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        known = getattr(getattr(self, (request.method or "").lower(), None), QUERY, ())
        faults = {
            name[:LONGEST_WORD]: f"There is no such parameter here{did_you_mean(name, known)}."
            for name in request.query_params
            if name not in known
        }
        repeated = {name: "Give it once." for name, found in request.query_params.lists() if len(found) > 1}
        if faults or repeated:
            raise invalid({**repeated, **faults})
        for name, value in (*request.query_params.items(), *kwargs.items()):
            if "\0" in str(value):
                raise invalid({name: "This has impossible characters."})

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of a list gets its entity tag here: one place for all lists."""
        method = getattr(self, (request.method or "").lower(), None)
        if response.status_code == 200 and getattr(method, TAGGED, False):
            response = shown(request, response.data, preconditions.etag(response.data))
        return super().finalize_response(request, response, *args, **kwargs)


def flag(request: Request, name: str) -> bool:
    """A parameter that is true or false."""
    text = request.query_params.get(name)
    if text is None:
        return False
    if text.lower() not in _FLAGS:
        raise invalid({name: "This must be true or false."})
    return _FLAGS[text.lower()]


def word(request: Request, name: str, most: int = LONGEST_WORD) -> str:
    """A parameter of bounded length; empty where it is not given."""
    text = request.query_params.get(name, "")
    if len(text) > most:
        raise invalid({name: f"This may have {most} characters."})
    return text


def window(request: Request) -> paging.Window:
    """The page that is asked for."""
    try:
        return paging.window(request.query_params)
    except paging.Faulty as fault:
        raise invalid({fault.field: str(fault)}) from fault


def message_of(request: Request) -> str:
    """Why the change is made, for its revision: `X-Change-Message`, or `?message=`."""
    text = request.query_params.get("message") or request.headers.get(MESSAGE_FIELD, "")
    with suppress(UnicodeError):  # a header's bytes are UTF-8, which Django reads as Latin-1
        text = text.encode("latin-1").decode()
    if len(text) > LONGEST_MESSAGE or not text.isprintable():
        raise invalid({"message": f"This may have {LONGEST_MESSAGE} printable characters, in one line."})
    return text


def require_match(request: Request, current: str | None) -> None:
    """Refuses the change where `If-Match` or `If-None-Match` speak of another state than `current`."""
    if preconditions.may_write(
        current, if_match=request.headers.get("If-Match"), if_none_match=request.headers.get("If-None-Match")
    ):
        return
    raise _changed_since(current)


def require_rows(request: Request, current: Sequence[str]) -> None:
    """The same for an order about rows of a list: `If-Match` must have the tag of each."""
    if not preconditions.may_write_all(
        current, if_match=request.headers.get("If-Match"), if_none_match=request.headers.get("If-None-Match")
    ):
        raise _changed_since(", ".join(current[:SHOWN_TAGS]) or None)


def tagged(told: dict[str, Any], state: Any = None) -> dict[str, Any]:
    """A row of a list with the tag that orders about it take: of all that is shown, or of `state`."""
    return {**told, "etag": preconditions.etag(told if state is None else state)}


def is_conditional(request: Request) -> bool:
    """Whether it has a precondition, where telling the present state costs something."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def shown(request: Request, body: Any, tag: str) -> Response:
    """An answer with its entity tag, or 304 where the client has it."""
    if preconditions.is_known(tag, if_none_match=request.headers.get("If-None-Match")):
        return Response(status=304, headers={"ETag": tag})
    return Response(body, headers={"ETag": tag})


def conflict(message: str, **details: Any) -> Refused:
    """It cannot be done as things stand."""
    return Refused(Rejection(Code.CONFLICT, message, details=details))


@contextmanager
def changing(*, invalid_is_conflict: bool = False) -> Iterator[None]:
    """Around a change: whatever its services refuse, as an answer. `invalid_is_conflict`: the body is not to blame."""
    try:
        yield
    except ConfigurationInvalid as error:
        code = Code.CONFLICT if invalid_is_conflict else Code.VALIDATION_ERROR
        raise Refused(_faulty(error, code)) from error
    except PublishRefused as error:
        raise conflict(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    except EditConflict as error:
        raise Refused(Rejection(Code.PRECONDITION_FAILED, f"{str(error).capitalize()}.")) from error
    except ValidationError as error:
        raise invalid(
            error.message_dict if hasattr(error, "error_dict") else {"body": error.messages}
        ) from error
    except IntegrityError as error:
        raise conflict("Somebody else has changed this at the same time.") from error
    except StoreUnavailable as error:
        reason = str(error).partition(": ")[0]  # the rest names addresses
        raise Refused(
            Rejection(Code.SERVICE_UNAVAILABLE, f"Not now: {reason}.", headers=_RETRY_SOON)
        ) from error


@contextmanager
def at_once(hold: Callable[[], object] | None = None) -> Iterator[None]:
    """Around a precondition and the change that it is for: one transaction, so that nobody comes between the two.

    `hold` takes the lock that everybody waits for who changes the same; without it, the row must be held.
    """
    with changing(), clear_errors(), transaction.atomic():
        if hold is not None:
            hold()
        yield


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """What a call did to the configuration."""
    return {
        "outcome": outcome.kind,
        "revision": outcome.revision,
        "changes": outcome.changes.as_json(),
        "pruned": list(outcome.pruned),
        "warnings": [each.as_json() for each in outcome.warnings],
    }


def status_of(outcome: Outcome) -> int:
    """202 where somebody else must publish it."""
    return 202 if outcome.kind == "drafted" else 200


def outcome_fields(outcome: Outcome) -> dict[str, str]:
    """The header fields beside an entry that was written."""
    fields: dict[str, str] = {"X-Outcome": outcome.kind}
    if outcome.revision is not None:
        fields["X-Revision"] = str(outcome.revision)
    return fields


def _changed_since(current: str | None) -> Refused:
    text = "It is not in the state that this change was made for."
    return Refused(Rejection(Code.PRECONDITION_FAILED, text, details={"etag": current}))


def _faulty(error: ConfigurationInvalid, code: Code) -> Rejection:
    first, count = error.problems[0], len(error.problems)
    more = f" (and {count - 1} more)" if count > 1 else ""
    details = {"problems": [each.as_json() for each in error.problems[:SHOWN_PROBLEMS]], "count": count}
    return Rejection(code, f"{first}{more}", details=details)
