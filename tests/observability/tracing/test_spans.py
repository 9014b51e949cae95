"""What a request looks like in a trace."""

from typing import Any

import pytest

from authproxy import problems
from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from observability.accesslog.line import Rules
from observability.tracing.spans import Span, is_wanted, spans_of
from observability.traffic.record import Record
from resilience.outcomes import Outcome
from tests.support.records import record

TRACE = "0af7651916cd43dd8448eb211c80319c"
CAME, MADE = f"00-{TRACE}-00000000000000aa-01".encode(), f"00-{TRACE}-00000000000000bb-01".encode()
RULES = Rules(headers=(b"user-agent",), hide_paths=("/reset/",))
OWN = 0xCC
ASKED = {"admitted": 100.001, "forwarded": 100.002, "answered": 100.008, "attempts": 1, "service": "s"}


def made(came: bytes = CAME, host: bytes = b"api.test:8443", **fields: Any) -> Record:
    head = RequestHead()
    head.traceparent, head.host = came, host
    head.passed = [(b"accept", b"*/*"), (b"user-agent", b"curl/8")]
    given = {"head": head, "traceparent": MADE, "origin": Origin("192.0.2.1", "https", ()), **fields}
    return record("r", **given)


def spans(one: Record, rules: Rules = RULES) -> tuple[Span, ...]:
    return spans_of(one, 1_000_000.0, rules, span_id=OWN)


def test_client_server_and_service_are_one_tree() -> None:
    """The client's span, ours, what we asked: by the id that the service was told."""
    server, client = spans(made(**ASKED, target="http://a"))

    assert (server.parent_id, server.is_parent_remote, server.span_id) == (0xAA, True, OWN)
    assert (client.parent_id, client.is_parent_remote, client.span_id) == (OWN, False, 0xBB)
    assert server.trace_id == client.trace_id == int(TRACE, 16)
    assert (server.name, client.name) == ("GET /", "GET")
    assert (server.end_ns - server.start_ns) / 1e6 == pytest.approx(10, abs=0.01)
    assert (client.start_ns - server.start_ns) / 1e6 == pytest.approx(2, abs=0.01)
    assert (client.end_ns - client.start_ns) / 1e6 == pytest.approx(6, abs=0.01)
    assert server.start_ns == pytest.approx(1_000_100 * 10**9, rel=1e-12)
    assert (server.error, client.error) == ("", "")


def test_without_a_service_the_one_id_is_the_servers() -> None:
    """Such as the services of an aggregate are told; and nobody's child is a root."""
    (server,) = spans(made(came=MADE))

    assert (server.span_id, server.parent_id, server.is_parent_remote) == (0xBB, 0, False)


def test_attributes_of_the_server() -> None:
    """By the semantic conventions; no query, nothing that is empty."""
    server, _ = spans(made(**ASKED, raw_path=b"/reset/s3cret", query=b"token=s3cret", cache="MISS"))

    assert server.attributes == {
        "http.request.method": "GET",
        "http.route": "/",
        "http.response.status_code": 200,
        "server.address": "api.test",
        "server.port": 8443,
        "url.scheme": "https",
        "url.path": "/reset/***",
        "client.address": "192.0.2.1",
        "user_agent.original": "curl/8",
        "torana.route": "r",
        "torana.service": "s",
        "torana.cache": "MISS",
        "torana.request_id": "id",
        "torana.revision": 1,
    }


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [(b"api.test", "api.test", None), (b"[::1]:80", "::1", 80), (b"[::1]", "::1", None), (b"", None, None)],
)
def test_hosts(host: bytes, address: str | None, port: int | None) -> None:
    (server,) = spans(made(host=host))

    assert (server.attributes.get("server.address"), server.attributes.get("server.port")) == (address, port)


@pytest.mark.parametrize("rules", [Rules(), Rules(headers=(b"user-agent",), hide=frozenset({"user-agent"}))])
def test_user_agent_only_if_kept(rules: Rules) -> None:
    assert "user_agent.original" not in spans(made(), rules)[0].attributes


def test_a_service_that_fails() -> None:
    """Both say so, and the attempts before the last are there."""
    refusal = problems.from_outcome(Outcome.CONNECT_REFUSED, service="s")
    fields = {**ASKED, "answered": 0.0, "attempts": 2, "status": refusal.status, "refusal": refusal}
    failures = [("http://a", Outcome.RESET), ("http://b", Outcome.CONNECT_REFUSED)]
    server, client = spans(made(**fields, outcome=Outcome.CONNECT_REFUSED, failures=failures))

    assert (server.error, server.attributes["torana.code"]) == (refusal.code.value, refusal.code.value)
    assert client.error == client.attributes["error.type"] == Outcome.CONNECT_REFUSED.value
    assert client.attributes["http.request.resend_count"] == 1
    assert client.attributes["torana.failures"][0] == f"http://a {Outcome.RESET.value}"
    assert "http.response.status_code" not in client.attributes
    assert client.end_ns == server.end_ns


def test_a_refusal_of_ours_is_no_error_below_500() -> None:
    (server,) = spans(made(refusal=problems.not_found(), status=404))

    assert (server.error, server.attributes["torana.code"]) == ("", "NOT_FOUND")


def test_names_stay_few() -> None:
    """Clients may make up methods; what no route takes has no path in its name."""
    one = made(method="FROB", refusal=problems.not_found(), status=404)._replace(route=None)
    (server,) = spans(one)

    assert server.name == "HTTP"
    assert server.attributes["http.request.method"] == "_OTHER"
    assert server.attributes["http.request.method_original"] == "FROB"


def test_what_is_left_out() -> None:
    """What is not recorded, and the gateway's own endpoints."""
    assert is_wanted(made())
    assert is_wanted(made(refusal=problems.not_found())._replace(route=None))
    assert not is_wanted(made()._replace(route=None))
    assert not is_wanted(made(traceparent=MADE[:-1] + b"0"))
