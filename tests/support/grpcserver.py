"""I: A gRPC server in the test's own loop: methods made of descriptors, with and without reflection."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from grpc_reflection.v1alpha import reflection

SCALARS = {
    "double": Field.TYPE_DOUBLE,
    "float": Field.TYPE_FLOAT,
    "int64": Field.TYPE_INT64,
    "uint64": Field.TYPE_UINT64,
    "int32": Field.TYPE_INT32,
    "fixed64": Field.TYPE_FIXED64,
    "fixed32": Field.TYPE_FIXED32,
    "bool": Field.TYPE_BOOL,
    "string": Field.TYPE_STRING,
    "bytes": Field.TYPE_BYTES,
    "uint32": Field.TYPE_UINT32,
    "sfixed32": Field.TYPE_SFIXED32,
    "sfixed64": Field.TYPE_SFIXED64,
    "sint32": Field.TYPE_SINT32,
    "sint64": Field.TYPE_SINT64,
}
METHODS = (
    ("Say", False, False),
    ("Count", False, True),
    ("Collect", True, False),
    ("Talk", True, True),
)


def echo_file() -> FileDescriptorProto:
    """`echo.Echo` with a method of each kind; `echo.Everything` has a field of each kind."""
    file = FileDescriptorProto(name="echo.proto", package="echo", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    colour = file.enum_type.add(name="Colour")
    for number, name in enumerate(("NONE", "RED", "BLUE")):
        colour.value.add(name=name, number=number)
    message = file.message_type.add(name="Everything")

    def add(name: str, kind: Any, *, label: Any = Field.LABEL_OPTIONAL, **more: Any) -> None:
        number = len(message.field) + 1
        message.field.add(name=name, number=number, type=kind, label=label, **more)

    for name, kind in SCALARS.items():
        add(f"a_{name}", kind)
    add("colour", Field.TYPE_ENUM, type_name=".echo.Colour")
    add("at", Field.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp")
    add("inner", Field.TYPE_MESSAGE, type_name=".echo.Everything")
    add("tags", Field.TYPE_STRING, label=Field.LABEL_REPEATED)
    entry = message.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=Field.TYPE_INT64, label=Field.LABEL_OPTIONAL)
    add("counts", Field.TYPE_MESSAGE, label=Field.LABEL_REPEATED, type_name=".echo.Everything.CountsEntry")
    message.oneof_decl.add(name="way")
    add("left", Field.TYPE_STRING, oneof_index=0)
    add("right", Field.TYPE_STRING, oneof_index=0)
    service = file.service.add(name="Echo")
    for name, takes, gives in METHODS:
        method = service.method.add(name=name, input_type=".echo.Everything", output_type=".echo.Everything")
        method.client_streaming, method.server_streaming = takes, gives
    return file


def echo_pool() -> DescriptorPool:
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(echo_file())
    return pool


Everything: Any = GetMessageClass(echo_pool().FindMessageTypeByName("echo.Everything"))
Say = Callable[[Any, aio.ServicerContext], Awaitable[Any]]
Count = Callable[[Any, aio.ServicerContext], AsyncIterator[Any]]


async def same(message: Any, _context: Any) -> Any:
    return message


async def three(message: Any, _context: Any) -> AsyncIterator[Any]:
    for number in range(3):
        yield Everything(a_int32=number, a_string=message.a_string)


@dataclass
class EchoServer:
    """What it does may be changed while it runs."""

    say: Say = same
    count: Count = three
    port: int = 0
    scheme: str = "http"
    metadata: list[dict[str, Any]] = field(default_factory=list)
    server: aio.Server | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def _say(self, message: Any, context: aio.ServicerContext) -> Any:
        self.metadata.append(dict(context.invocation_metadata() or ()))
        return await self.say(message, context)

    async def _count(self, message: Any, context: aio.ServicerContext) -> AsyncIterator[Any]:
        async for each in self.count(message, context):
            yield each

    async def stop(self) -> None:
        """At once: connections are lost."""
        assert self.server is not None
        await self.server.stop(0)

    def handler(self) -> grpc.GenericRpcHandler:
        codec = {
            "request_deserializer": Everything.FromString,
            "response_serializer": Everything.SerializeToString,
        }
        return grpc.method_handlers_generic_handler(
            "echo.Echo",
            {
                "Say": grpc.unary_unary_rpc_method_handler(self._say, **codec),
                "Count": grpc.unary_stream_rpc_method_handler(self._count, **codec),
            },
        )


def health_messages() -> tuple[Any, Any]:
    """grpc.health.v1's request and response, by the published definition."""
    file = FileDescriptorProto(name="grpc/health/v1/health.proto", package="grpc.health.v1", syntax="proto3")
    request = file.message_type.add(name="HealthCheckRequest")
    request.field.add(name="service", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    answer = file.message_type.add(name="HealthCheckResponse")
    status = answer.enum_type.add(name="ServingStatus")
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        status.value.add(name=name, number=number)
    answer.field.add(
        name="status",
        number=1,
        type=Field.TYPE_ENUM,
        label=Field.LABEL_OPTIONAL,
        type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus",
    )
    pool = DescriptorPool()
    pool.Add(file)
    return tuple(
        GetMessageClass(pool.FindMessageTypeByName(f"grpc.health.v1.HealthCheck{kind}"))
        for kind in ("Request", "Response")
    )


def health_handler(known: dict[str, int]) -> grpc.GenericRpcHandler:
    """Answers Check by what is known, as grpcio-health-checking does."""
    request, response = health_messages()

    async def check(asked: Any, context: aio.ServicerContext) -> Any:
        if asked.service not in known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return response(status=known[asked.service])

    handler = grpc.unary_unary_rpc_method_handler(
        check, request_deserializer=request.FromString, response_serializer=response.SerializeToString
    )
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})


def echo_set() -> bytes:
    """What `protoc --descriptor_set_out --include_imports echo.proto` writes."""
    files = FileDescriptorSet()
    files.file.add().ParseFromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
    files.file.append(echo_file())
    return files.SerializeToString()


@asynccontextmanager
async def echo_server(
    *,
    reflects: bool = True,
    port: int = 0,
    tls: grpc.ServerCredentials | None = None,
    health: dict[str, int] | None = None,
) -> AsyncIterator[EchoServer]:
    """A server on a port of its own."""
    echo = EchoServer(scheme="http" if tls is None else "https")
    server = aio.server(options=[("grpc.max_receive_message_length", 32 << 20)])
    server.add_generic_rpc_handlers((echo.handler(),))
    if reflects:
        reflection.enable_server_reflection(("echo.Echo", reflection.SERVICE_NAME), server, pool=echo_pool())
    if health is not None:
        server.add_generic_rpc_handlers((health_handler(health),))
    address = f"127.0.0.1:{port}"
    echo.port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
    echo.server = server
    await server.start()
    try:
        yield echo
    finally:
        await server.stop(0)
