"""I: The destination that calls a gRPC method with JSON. Knows neither grpcio nor protobuf: the transport does."""

import re
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from authproxy import bodies
from authproxy.exchange import Exchange
from authproxy.forwarder import forward
from authproxy.grpc.calling import CURRENT, Call, wants_sse
from authproxy.grpc.statuses import UNIMPLEMENTED, fields_of
from authproxy.rejections import Code, Rejection
from authproxy.services import ServiceRuntime
from authproxy.shaping.templates import facts
from routing.shapes.changes import names_of
from routing.shapes.templates import variable
from routing.snapshot import CompiledRoute, Grpc

LARGEST_BODY: Final = 16 << 20
_MOST_PARAMETERS: Final = 1000


class Transcoding:
    """One route's."""

    def __init__(self, route: CompiledRoute, grpc: Grpc) -> None:
        self._grpc = grpc
        names = names_of(route.pattern)
        known = names.groupindex if isinstance(names, re.Pattern) else [name for name in names if name]
        self._variables = tuple((name, variable(f"path.{name}", names)) for name in known)

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """The method's answer as JSON, or the refusal."""
        if (refusal := _unfit_type(exchange)) is not None:
            return refusal
        body = await bodies.whole(exchange, LARGEST_BODY)
        if isinstance(body, Rejection):
            return body
        grpc = self._grpc
        runtime: ServiceRuntime = exchange.snapshot.services[grpc.upstream].runtime
        urls = [endpoint.url for endpoint in runtime.endpoints]
        method = await runtime.transport.method(urls, grpc.service, grpc.method)  # type: ignore[attr-defined]
        if isinstance(method, str):
            return _unknown(method, grpc)
        if method.takes_stream:
            return _unknown(
                "Methods that take a stream of messages cannot be called by HTTP.", grpc, "client_streaming"
            )
        known = facts(exchange)
        variables = [(name, each.value(known).decode("utf-8", "replace")) for name, each in self._variables]
        try:
            query = parse_qsl(
                known.query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            return _invalid("", "The query has too many parameters.")
        message = method.encode(body, query, variables)
        if not isinstance(message, bytes):
            return _invalid(message.field, message.message)
        ended = partial(setattr, exchange, "outcome")
        is_sse = wants_sse(_accept(exchange))
        call = Call(method, message, grpc.upstream, grpc.answer_metadata, is_sse, ended)
        return await self._called(exchange, call)

    async def _called(self, exchange: Exchange, call: Call) -> Rejection | None:
        head = exchange.head
        if head.has_body:
            bodies.replace(exchange, b"")
        head.chunked = False
        head.passed = [pair for pair in head.passed if pair[0] in self._grpc.metadata]
        before = CURRENT.set(call)
        try:
            return await forward(exchange, self._grpc.upstream)
        finally:
            CURRENT.reset(before)


def _accept(exchange: Exchange) -> bytes:
    return b",".join(value for name, value in exchange.head.passed if name == b"accept")


def _unfit_type(exchange: Exchange) -> Rejection | None:
    """gRPC itself needs HTTP/2 from end to end, and gRPC-Web a proxy of its own."""
    given = next((value for name, value in exchange.head.passed if name == b"content-type"), b"").lower()
    media = given.partition(b";")[0].strip()
    if media.startswith(b"application/grpc"):
        return Rejection(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "This route takes JSON and calls gRPC for it; gRPC itself is not passed on.",
            details={"reason": "grpc_passthrough", "possible": ["application/json"]},
            headers=(*fields_of(UNIMPLEMENTED), (b"grpc-message", b"JSON only")),
        )
    if exchange.head.has_body and media and media != b"application/json" and not media.endswith(b"+json"):
        return Rejection(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON.",
            details={"reason": "content_type", "possible": ["application/json"]},
        )
    return None


def _unknown(why: str, grpc: Grpc, reason: str = "grpc_method") -> Rejection:
    return Rejection(
        Code.BAD_GATEWAY,
        why,
        details={"service": grpc.upstream, "reason": reason, "method": f"{grpc.service}/{grpc.method}"},
        headers=fields_of(UNIMPLEMENTED),
        other_status=501 if reason == "client_streaming" else None,
    )


def _invalid(field: str, message: str) -> Rejection:
    return Rejection(
        Code.VALIDATION_ERROR,
        "No message can be made of this request.",
        details={"field": field, "message": message},
    )
