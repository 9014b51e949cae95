"""I: Spans to an OpenTelemetry collector by OTLP over HTTP. No other file imports OpenTelemetry, which is optional."""

import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from observability.tracing.spans import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http"
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.37.0"


def missing_library() -> str:
    """What is not installed, and how to get it; empty if nothing is missing."""
    try:
        is_there = find_spec(f"{_EXPORTER}.trace_exporter") and find_spec("opentelemetry.sdk.trace")
    except ModuleNotFoundError:
        is_there = None
    if is_there:
        return ""
    return (
        "the library opentelemetry-sdk is missing; install torana[otel], or requirements.lock, which has it"
    )


class Sender:
    """Blocks while it sends: for a thread. `endpoint` is the collector's address without a signal's path.

    How long it may take, TLS and compression are the exporter's own affair: OTEL_EXPORTER_OTLP_TIMEOUT (10 s),
    OTEL_EXPORTER_OTLP_CERTIFICATE, OTEL_EXPORTER_OTLP_COMPRESSION. Raises ValueError where one of them is unusable.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str], resource: Mapping[str, str]) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self._said = _Said()
        log = logging.getLogger(_EXPORTER)
        log.handlers = [self._said]
        log.propagate = False  # it would say the same with each batch
        self._exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers))
        self._resource = Resource(dict(resource), _SCHEMA)
        self._scope = InstrumentationScope("torana", resource.get("service.version", ""))

    def send(self, spans: Sequence[Span]) -> str:
        """Why they did not arrive; empty if they did."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        self._said.last = ""
        result = self._exporter.export([self._made(span) for span in spans])
        return "" if result is SpanExportResult.SUCCESS else self._said.last or "the collector took nothing"

    def stop(self) -> None:
        """No attempt follows the one under way."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _made(self, span: Span) -> "ReadableSpan":
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

        recorded = TraceFlags(TraceFlags.SAMPLED)
        parent = None
        if span.parent_id:
            parent = SpanContext(span.trace_id, span.parent_id, span.is_parent_remote, recorded)
        return ReadableSpan(
            name=span.name,
            context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=recorded),
            parent=parent,
            resource=self._resource,
            attributes=span.attributes,
            kind=SpanKind.SERVER if span.kind == "server" else SpanKind.CLIENT,
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
            start_time=span.start_ns,
            end_time=span.end_ns,
            instrumentation_scope=self._scope,
        )


class _Said(logging.Handler):
    """Keeps what the exporter said last."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()[:300]
