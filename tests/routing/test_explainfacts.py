"""What variables stand for in a request that is explained."""

from routing.explain import explain, request_to
from routing.explainfacts import caller_of
from routing.standing import Admission
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

RAW = document(
    route(
        service="s",
        match={"path": "/orders/{id}", "path_type": "template"},
        request_headers={"set": {"X-Order": "${path.id}", "X-Who": "${consumer.id}"}},
        response_headers={"set": {"X-Status": "${response.status}"}},
        rewrite={"path": "/v2/${request.query.t}/${path.id}"},
        envelope=True,
        compress=True,
        status_map={404: 204},
        transform={"response": "a"},
    ),
    services={"s": "http://127.0.0.1:1"},
)


def test_fields_and_paths_are_shown_as_they_would_be() -> None:
    """And what would not be set."""
    caller = {"consumer": "ada", "user_id": "7", "roles": ["b"]}
    found = explain(
        snapshot_of(RAW),
        request_to("GET", "/orders/7?t=acme", [("Accept-Encoding", "br")]),
        judge=lambda _route, _snapshot: Admission(caller=caller),
    )
    assert found.upstream_request is not None
    assert found.upstream_request["url"] == "http://127.0.0.1:1/v2/acme/7?t=acme"
    assert found.upstream_request["headers"]["filled_in"] == {"x-order": "7", "x-who": "7"}
    notes = {note.name: note.details for note in found.policies}
    assert notes["response_headers"]["filled_in"] == {"x-status": "200"}
    assert notes["compress"]["client_gets"] == "br"
    assert {"envelope", "status_map", "transform"} <= notes.keys()
    nobody = explain(snapshot_of(RAW), request_to("GET", "/orders/7?t=acme"))
    assert nobody.upstream_request is not None
    assert nobody.upstream_request["headers"]["filled_in"]["x-who"] == "(not set: ${consumer.id})"


def test_what_cannot_be_made_is_refused() -> None:
    """As the data plane would."""
    found = explain(snapshot_of(RAW), request_to("GET", "/orders/7"))
    assert found.refusal is not None
    assert found.refusal.status == 400
    assert found.upstream_request is None


def test_callers() -> None:
    """What is not told is empty."""
    assert caller_of({"consumer": "a", "roles": None}).roles == frozenset()
