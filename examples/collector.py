"""A trace collector to try things with: takes OTLP over HTTP, and prints each span as a line of JSON.

python examples/collector.py --port 4318
"""

import argparse
import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {2: "server", 3: "client"}


def value_of(value: Any) -> Any:
    """What an attribute holds."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    return getattr(value, kind)


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in pairs}


def spans_in(body: bytes) -> list[dict[str, Any]]:
    """The spans of one message, each with the resource that it is of."""
    message = ExportTraceServiceRequest.FromString(body)
    return [
        {
            "name": span.name,
            "kind": KINDS.get(span.kind, span.kind),
            "trace": span.trace_id.hex(),
            "span": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "ms": round((span.end_time_unix_nano - span.start_time_unix_nano) / 1e6, 3),
            "start_ns": span.start_time_unix_nano,
            "error": span.status.message if span.status.code == 2 else "",
            "attributes": attributes_of(span.attributes),
            "resource": attributes_of(of_one.resource.attributes),
        }
        for of_one in message.resource_spans
        for scope in of_one.scope_spans
        for span in scope.spans
    ]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for span in spans_in(body) if self.path == "/v1/traces" else ():
            print(json.dumps(span), flush=True)
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """The spans are enough."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4318)
    with ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler) as server:
        print(json.dumps({"listening": server.server_port}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
