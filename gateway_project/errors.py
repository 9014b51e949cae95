"""D: What Django answers when it cannot serve: the error envelope, or for people at a browser a small page.

Never a traceback. A database that is away is told apart from a mistake of ours: 503, and worth another try.
"""

import logging
import re
from typing import Any, Final

from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from authproxy import ids, problems
from authproxy.exchange import SCOPE_REQUEST_ID
from authproxy.refusing import Refused
from authproxy.rejections import Code, Rejection
from resilience.clock import timestamp
from routing.locking import StoreUnavailable, clear_errors

_log = logging.getLogger(__name__)
_RETRY_AFTER_S: Final = b"2"
_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
    "<body><h1>{title}</h1><p>{message}</p>{way_on}<p><small>Request {request_id}</small></p></body></html>\n"
)
_TO_ADMIN: Final = mark_safe('<p><a href="/admin/">Overview</a></p>')
_PROGRAMS: Final = "/control/"
_HUGE: Final = "A number in the address is larger than any row can have."
_HUGE_NUMBER: Final = re.compile(r"[0-9]{19}")


class OutageMiddleware(MiddlewareMixin):
    """A view that the database failed is answered with 503 and the reason; a page's refusal, as endpoints do.

    SQLite's driver raises OverflowError for numbers of more than 64 bits, which the lists of admin take from their URL.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refused):
            return answer(request, exception.rejection)
        if isinstance(exception, OverflowError) and _has_a_huge_number(request):
            return answer(request, Rejection(Code.INVALID_REQUEST, _HUGE))
        if not isinstance(exception, DatabaseError | InterfaceError):
            return None
        try:
            with clear_errors():
                raise exception
        except StoreUnavailable as outage:
            _log.warning("%s: %s", request.path, outage)
            reason = str(outage).partition(": ")[0]  # the rest names addresses, which are not for everybody
        except DatabaseError:
            return None  # ours
        headers = ((b"retry-after", _RETRY_AFTER_S),)
        return answer(request, Rejection(Code.SERVICE_UNAVAILABLE, f"Not now: {reason}.", headers=headers))


def _has_a_huge_number(request: HttpRequest) -> bool:
    """Whether the query has one that needs more than 64 bits."""
    return any(_HUGE_NUMBER.search(value) for values in request.GET.lists() for value in values[1])


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For a request that Django finds suspicious."""
    message = "The request is malformed."
    if isinstance(exception, DisallowedHost):
        message = "The Host header names no host that the gateway itself answers for; see ALLOWED_HOSTS."
    return answer(request, Rejection(Code.INVALID_REQUEST, message))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Rejection(Code.FORBIDDEN, str(exception) or "You may not do this."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Rejection(Code.NOT_FOUND, "There is nothing here."))


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, Rejection(Code.INTERNAL_ERROR, "The gateway could not serve this request."))


def answer(request: HttpRequest, rejection: Rejection, *, is_for_programs: bool = False) -> HttpResponse:
    """The refusal in the form that the client reads; of what is for programs, as all other answers there."""
    request_id = _request_id(request)
    headers: dict[str, str] = {}
    for name, value in ((name.decode("ascii"), value.decode("latin-1")) for name, value in rejection.headers):
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    content: Any
    is_for_programs = is_for_programs or request.path.startswith(_PROGRAMS)
    if "text/html" in request.headers.get("accept", "") and not is_for_programs:
        title = rejection.code.value.replace("_", " ").capitalize()
        way_on = _TO_ADMIN if request.path.startswith("/admin/") else ""
        content = format_html(
            _PAGE, title=title, message=rejection.message, way_on=way_on, request_id=request_id
        )
        content_type = "text/html; charset=utf-8"
    else:
        content = problems.envelope(rejection, request_id=request_id, timestamp=timestamp())
        content_type = "application/json"
    return HttpResponse(content, status=rejection.status, content_type=content_type, headers=headers)


def _request_id(request: HttpRequest) -> str:
    given: bytes = getattr(request, "scope", {}).get(SCOPE_REQUEST_ID) or ids.request_id()
    return given.decode("ascii")
