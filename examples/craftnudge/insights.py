"""CraftNudge's insights: a gRPC service for other services, which tells by reflection what its methods are.

python -m examples.craftnudge.insights --port 8004
"""

import asyncio
import re
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from grpc_reflection.v1alpha import reflection

from examples.serving import port

KINDS = ("feat", "fix", "docs", "test", "refactor", "chore")
NAME = "craftnudge.Insights"


def described() -> FileDescriptorProto:
    """rpc Classify(Commit {string text = 1}) returns (Class {string kind = 1})"""
    file = FileDescriptorProto(name="insights.proto", package="craftnudge", syntax="proto3")
    for message, field in (("Commit", "text"), ("Class", "kind")):
        text, one = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.LABEL_OPTIONAL
        file.message_type.add(name=message).field.add(name=field, number=1, type=text, label=one)
    method = file.service.add(name="Insights").method.add(name="Classify")
    method.input_type, method.output_type = ".craftnudge.Commit", ".craftnudge.Class"
    return file


POOL = DescriptorPool()
POOL.Add(described())
Commit, Class = (
    GetMessageClass(POOL.FindMessageTypeByName(f"craftnudge.{name}")) for name in ("Commit", "Class")
)


async def classify(commit: Any, _context: Any) -> Any:
    """What the message begins with, if it is a conventional one."""
    found = re.match(r"([a-z]+)(\(.*?\))?!?:", commit.text)
    return Class(kind=found[1] if found and found[1] in KINDS else "other")


async def serve() -> None:
    server = aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        classify, request_deserializer=Commit.FromString, response_serializer=Class.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, {"Classify": handler}),))
    reflection.enable_server_reflection((NAME, reflection.SERVICE_NAME), server, pool=POOL)
    server.add_insecure_port(f"127.0.0.1:{port()}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
