"""How the services of example systems say what is wrong: in the gateway's shape, so that clients know one shape only.

{"error": {"code": …, "message": …, "details": …}, "request_id": …, "timestamp": …}
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

CODES = {
    400: "INVALID_REQUEST",
    401: "AUTH_ERROR",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    503: "SERVICE_UNAVAILABLE",
}


class Fault(Exception):  # noqa: N818 - an answer
    """Ends a request with this answer."""

    def __init__(self, status: int, message: str, *, code: str = "", **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or CODES.get(status, "INTERNAL_ERROR")
        self.message = message
        self.details = details


def answer_faults(app: FastAPI) -> None:
    """Faults, bodies that do not fit, unknown paths and bugs: all of one shape."""

    @app.exception_handler(Fault)
    def fault(request: Request, fault: Fault) -> JSONResponse:
        return answer(request, fault)

    @app.exception_handler(RequestValidationError)
    def unfit(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, fault_of(error))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        return answer(request, Fault(error.status_code, str(error.detail)))

    @app.exception_handler(Exception)
    def broken(request: Request, _: Exception) -> JSONResponse:
        return answer(request, Fault(500, "The service has failed."))


def answer(request: Request, fault: Fault) -> JSONResponse:
    """The error as JSON, under the id that the gateway gave the request."""
    error = {"code": fault.code, "message": fault.message, "details": fault.details}
    document = {
        "error": error,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "request_id": request.headers.get("X-Request-ID", ""),
    }
    return JSONResponse(document, fault.status)


def fault_of(error: RequestValidationError) -> Fault:
    """The first thing that is wrong. A validator that raises PydanticCustomError names what it expects."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    context = first.get("ctx", {})
    expected = context.get("expected_format", first["msg"])
    message = first["msg"] if "expected_format" in context else "The request is not as it must be."
    value = first.get("input") if first["type"] != "missing" else None
    return Fault(400, message, code="VALIDATION_ERROR", field=field, value=value, expected=expected)
