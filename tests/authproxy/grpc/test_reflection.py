"""Files gathered from a server that tells one at a time."""

from collections.abc import Callable

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2 as messages

from authproxy.grpc.reflection import PATHS, NotReflected, files_of

A = FileDescriptorProto(name="a.proto", dependency=["b.proto", "google/protobuf/any.proto"])
B = FileDescriptorProto(name="b.proto")


def response(file: FileDescriptorProto | None) -> bytes:
    answer = messages.ServerReflectionResponse()
    if file is None:
        answer.error_response.error_code = 5
    else:
        answer.file_descriptor_response.file_descriptor_proto.append(file.SerializeToString())
    return answer.SerializeToString()  # type: ignore[no-any-return]


def server(*paths: str, has_b: bool = True) -> Callable[[str, bytes], object]:
    async def ask(path: str, message: bytes) -> bytes | None:
        if path not in paths:
            return None
        wanted = messages.ServerReflectionRequest.FromString(message)
        if wanted.file_containing_symbol == "a.A":
            return response(A)
        return response(B if wanted.file_by_filename == "b.proto" and has_b else None)

    return ask


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_missing_is_asked_for(path: str) -> None:
    """By either version; what protobuf brings itself is not."""
    files = await files_of("a.A", server(path))  # type: ignore[arg-type]
    assert [FileDescriptorProto.FromString(each).name for each in files] == ["a.proto", "b.proto"]


async def test_a_server_that_does_not_tell_says_why() -> None:
    """Nothing is made up."""
    for paths, symbol, has_b, said in (
        ((), "a.A", True, "no reflection"),
        (PATHS, "a.X", True, 'know "a.X"'),
        (PATHS, "a.A", False, "b.proto"),
    ):
        with pytest.raises(NotReflected, match=said):
            await files_of(symbol, server(*paths, has_b=has_b))  # type: ignore[arg-type]


async def test_garbage_is_not_read() -> None:
    """It is said so."""

    async def ask(_path: str, _message: bytes) -> bytes:
        return b"\xff\xff"

    with pytest.raises(NotReflected, match="cannot be read"):
        await files_of("a.A", ask)
