"""Two gRPC servers that greet: one tells by reflection what its methods are, the other tells nobody.

python -m examples.grpc.upstreams greeter --port 8051
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from grpc_reflection.v1alpha import reflection

POOL = DescriptorPool()
for _file in FileDescriptorSet.FromString((Path(__file__).parent / "greeter.binpb").read_bytes()).file:
    POOL.Add(_file)
MESSAGES: dict[str, Any] = {
    name: GetMessageClass(POOL.FindMessageTypeByName(f"greeter.{name}"))
    for name in ("HelloRequest", "HelloReply", "CountRequest", "CountReply")
}
SERVING = b"\x08\x01"  # a HealthCheckResponse of grpc.health.v1
greeted = count(1)


async def say_hello(request: Any, context: aio.ServicerContext) -> Any:
    if not request.name:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "who is it?")
    name = " ".join([*request.titles, request.name])
    return MESSAGES["HelloReply"](greeting=f"Hello, {name}!", greeted=next(greeted))


async def count_down(request: Any, context: aio.ServicerContext) -> AsyncIterator[Any]:
    for left in range(getattr(request, "from"), -1, -1):
        yield MESSAGES["CountReply"](left=left)
    if getattr(request, "from") < 0:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "there is nothing to count")


async def healthy(_request: bytes, _context: aio.ServicerContext) -> bytes:
    return SERVING


def handlers() -> list[grpc.GenericRpcHandler]:
    hello = grpc.unary_unary_rpc_method_handler(
        say_hello,
        request_deserializer=MESSAGES["HelloRequest"].FromString,
        response_serializer=MESSAGES["HelloReply"].SerializeToString,
    )
    counting = grpc.unary_stream_rpc_method_handler(
        count_down,
        request_deserializer=MESSAGES["CountRequest"].FromString,
        response_serializer=MESSAGES["CountReply"].SerializeToString,
    )
    methods = {"SayHello": hello, "CountDown": counting}
    health = {"Check": grpc.unary_unary_rpc_method_handler(healthy)}
    return [
        grpc.method_handlers_generic_handler("greeter.Greeter", methods),
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", health),
    ]


async def serve(port: int, *, reflects: bool) -> None:
    server = aio.server()
    server.add_generic_rpc_handlers(handlers())
    if reflects:
        reflection.enable_server_reflection(("greeter.Greeter", reflection.SERVICE_NAME), server, pool=POOL)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=("greeter", "quiet-greeter"))
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.port, reflects=arguments.name == "greeter"))
    sys.exit(130)


if __name__ == "__main__":
    main()
