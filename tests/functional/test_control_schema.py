"""The control API against its OpenAPI document: whatever is sent, no 500, and no answer that is not described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpRequest
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.views.control.kinds import KINDS
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.configuration import route, service

pytestmark = pytest.mark.django_db
EXAMPLES = 8
CHECKS = [
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


def takes_configuration(operation: Any) -> bool:
    """Bodies of the whole document's schema take minutes to make up; other tests send them."""
    kind = operation.path.removeprefix("/control/v1/").partition("/")[0]
    writes = operation.method.upper() in ("PUT", "POST", "PATCH") and operation.path.count("/") < 5
    return writes and kind in (*KINDS, "defaults", "document")


SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
SCHEMA.app = Staffed()
OPERATIONS = {
    f"{each.ok().method.upper()} {each.ok().path}": each.ok()
    for each in SCHEMA.get_all_operations()
    if each.ok().path.startswith(("/control/v1/", "/discovery/")) and not takes_configuration(each.ok())
}


@pytest.fixture
def world() -> Iterator[None]:
    """Something to look at; and the connection to the test's own database stays, as Django's test client has it."""
    apply_document({"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("first"))
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_described(name: str) -> None:
    """Of requests that fit the document, and of what is beside them."""
    operation = OPERATIONS[name]
    seen = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(operation.as_strategy(), operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)))
    def run(case: Any) -> None:
        with transaction.atomic():
            answer = case.call(base_url="http://testserver")
            transaction.set_rollback(True)
        seen.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    run()
    assert seen
