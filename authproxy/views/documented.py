"""D: How endpoints are documented: what they take, what they answer, and every error that they have."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from authproxy.serializers import ErrorEnvelope

_MEANINGS: Final = {
    400: "`INVALID_REQUEST` where the body cannot be read, `VALIDATION_ERROR` with the reasons by field; of "
    "configuration, `details.problems` names the place of each in the document.",
    401: "`AUTH_ERROR`: no credential, or none that holds; `details.reason` says which.",
    403: "`FORBIDDEN`: the caller may not, or a cookie's request came from another site.",
    404: "`NOT_FOUND`",
    409: "`CONFLICT`: it cannot be done as things stand; what stands against it is said.",
    412: "`PRECONDITION_FAILED`: `If-Match` or `If-None-Match` speak of another state; `details.etag` is that of now.",
    413: "`PAYLOAD_TOO_LARGE`",
    415: "`UNSUPPORTED_MEDIA_TYPE`",
    429: "`RATE_LIMIT`: too many failed sign-ins, or registrations; `Retry-After` says how long to wait.",
}
QUERY: Final = "query_names"
"""The attribute of a method that has the names of its parameters in the query."""
TAGGED: Final = "is_tagged"
"""The attribute of a method whose answers get an entity tag, made of all that they show."""
UNAVAILABLE: Final = OpenApiResponse(
    ErrorEnvelope,
    description="`SERVICE_UNAVAILABLE`: accounts cannot be looked up at the moment; `OVERLOADED`: too many passwords "
    "are being checked. `Retry-After` says how long to wait.",
)


def documented(
    summary: str,
    *,
    tag: str,
    takes: Any = None,
    asks: Any = None,
    answers: Mapping[Any, Any],
    errors: tuple[int, ...],
    is_public: bool = False,
) -> Callable[[Any], Any]:
    """Describes one method of an endpoint, beside what its docstring says. `asks`: what else it takes, as parameters
    and shapes; the method keeps the names of those of the query, as `ControlEndpoint` refuses others."""
    parameters = asks if isinstance(asks, list) else [] if asks is None else [asks]
    responses: dict[Any, Any] = dict(answers) | {
        status: OpenApiResponse(ErrorEnvelope, description=_MEANINGS[status]) for status in errors
    }
    responses[503] = UNAVAILABLE
    describe = extend_schema(
        operation_id=operation_id(summary),
        summary=summary,
        tags=[tag],
        request=takes,
        parameters=parameters,
        responses=responses,
        auth=[] if is_public else None,
    )
    names = tuple(name for each in parameters for name in _in_query(each))

    def describing(method: Any) -> Any:
        found = describe(method)
        setattr(found, QUERY, names)
        return found

    return describing


def _in_query(asked: Any) -> tuple[str, ...]:
    """The names of a parameter, or of all fields of a shape."""
    if isinstance(asked, OpenApiParameter):
        return (asked.name,) if asked.location == OpenApiParameter.QUERY else ()
    return tuple(asked().fields)


def operation_id(summary: str) -> str:
    """The name that generated clients give the call: signIn."""
    first, *rest = summary.replace("'s", "").split()
    return first.lower() + "".join(word.capitalize() for word in rest)
