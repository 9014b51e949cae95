"""What goes over the wire, read back with the protocol's own classes."""

import importlib.util
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from examples.collector import spans_in
from observability.accesslog.line import Rules
from observability.tracing import otlp
from observability.tracing.otlp import Sender, missing_library
from observability.tracing.spans import spans_of
from tests.observability.tracing.test_spans import ASKED, TRACE, made
from tests.support.receivers import webhook


def test_spans_arrive() -> None:
    """Ids, times, attributes, errors, resource, and the header fields that the collector asks for."""
    spans = spans_of(made(**ASKED, status=502), 0.0, Rules(), span_id=0xCC)
    with webhook() as hook:
        sender = Sender(
            hook.url + "/", {"x-key": "s3cret"}, {"service.name": "torana", "service.version": "1"}
        )
        assert sender.send(spans) == ""
        path, fields, body = hook.received.get(timeout=10)
        sender.stop()
    server, client = spans_in(body)

    assert path == "/hook/v1/traces"
    assert (fields["x-key"], fields["content-type"]) == ("s3cret", "application/x-protobuf")
    assert (server["trace"], server["span"], server["parent"]) == (TRACE, f"{0xCC:016x}", f"{0xAA:016x}")
    assert (client["span"], client["parent"]) == (f"{0xBB:016x}", server["span"])
    assert (server["kind"], client["kind"]) == ("server", "client")
    assert (server["ms"], server["error"], client["error"]) == (pytest.approx(10, abs=0.01), "502", "")
    assert server["attributes"]["http.response.status_code"] == 502
    assert server["resource"] == {"service.name": "torana", "service.version": "1"}


def test_why_they_do_not(capfd: pytest.CaptureFixture[str]) -> None:
    """By the collector's word; nothing of it goes to the log by itself."""
    spans = spans_of(made(), 0.0, Rules(), span_id=1)
    with webhook() as hook:
        hook.then(401)
        sender = Sender(hook.url, {}, {})
        why = sender.send(spans)
        sender.stop()

    assert "401" in why or "Unauthorized" in why
    assert not logging.getLogger(otlp._EXPORTER).propagate
    assert capfd.readouterr().err == ""


COLLECTOR = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

answers = sys.argv[1:]

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        print(time.monotonic(), flush=True)
        status, _, later = answers.pop(0).partition(",")
        self.send_response(int(status))
        self.send_header("content-length", "0")
        if later:
            self.send_header("retry-after", later)
        self.end_headers()

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def collector(*answers: str) -> Iterator[tuple[str, Callable[[], list[float]]]]:
    """A process of its own, which gives one answer after the other: `STATUS` or `STATUS,RETRY-AFTER`. Its address, and
    what ends it and tells when it was asked."""
    with subprocess.Popen([sys.executable, "-c", COLLECTOR, *answers], stdout=-1, text=True) as process:
        assert process.stdout is not None

        def asked() -> list[float]:
            process.terminate()
            assert process.stdout is not None
            return [float(line) for line in process.stdout]

        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}", asked
        finally:
            process.terminate()


@pytest.mark.parametrize("status", [429, 503])
def test_a_collector_that_wants_to_be_left_alone_is(status: int) -> None:
    """As long as it says, which is longer than anybody would wait by themselves; then it has the spans."""
    spans = spans_of(made(), 0.0, Rules(), span_id=1)
    with collector(f"{status},2", "200") as (url, asked):
        sender = Sender(url, {}, {})
        why = sender.send(spans)
        sender.stop()
        first, second = asked()

    assert why == ""
    assert second - first >= 2


def test_who_is_to_wait_longer_than_it_may_gives_up_at_once() -> None:
    """The thread has others to send."""
    spans = spans_of(made(), 0.0, Rules(), span_id=1)
    with collector("503,3600", "200") as (url, asked):
        sender = Sender(url, {}, {})
        why = sender.send(spans)
        sender.stop()

        assert len(asked()) == 1
    assert why != ""


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_library() == ""

    def lost(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(otlp, "find_spec", lost)
    assert "torana[otel]" in missing_library()
    assert importlib.util.find_spec("opentelemetry.sdk.trace")
