"""D: The gateway's endpoints and their OpenAPI document, as schemathesis calls the ones by the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpRequest
from drf_spectacular.generators import SchemaGenerator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Staffed(WSGIHandler):
    """The gateway's endpoints, as somebody of staff calls them."""

    def get_response(self, request: HttpRequest) -> Any:
        fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.items()]
        request.scope = {  # type: ignore[attr-defined]
            "headers": fields,
            SCOPE_CLIENT: "192.0.2.1",
            SCOPE_IDENTITY: Identity(method="jwt", name="ada", provider="test", is_staff=True),
            SCOPE_AUTH_FAILURE: "",
        }
        return super().get_response(request)


SCHEMA: Final = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
SCHEMA.app = Staffed()
SHAPES: Final = SCHEMA.raw_schema["components"]["schemas"]
OPERATIONS: Final[dict[str, Any]] = {
    f"{each.ok().method.upper()} {each.ok().path}": each.ok() for each in SCHEMA.get_all_operations()
}
"""By method and path: `PUT /control/v1/routes/{name}`."""


@contextmanager
def connection_kept() -> Iterator[None]:
    """The connection to the test's own database stays, as Django's test client has it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@contextmanager
def undone() -> Iterator[None]:
    """What is changed inside is not changed behind it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def called(case: Any) -> Any:
    """The answer, which is as the document describes it."""
    answer = case.call(base_url="http://testserver")
    case.validate_response(answer, checks=CHECKS)
    return answer
