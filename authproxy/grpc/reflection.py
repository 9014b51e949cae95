"""I: Descriptors asked of a server by reflection (grpc.reflection.v1, else v1alpha): the files that hold one symbol."""

from collections.abc import Awaitable, Callable
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2 as messages

PATHS: Final = tuple(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha")
)
"""Both versions have the same messages."""
MOST_FILES: Final = 500
Ask = Callable[[str, bytes], Awaitable[bytes | None]]
"""Sends one message to a path; the answer, or None where the path is unknown."""


class NotReflected(Exception):  # noqa: N818 - becomes a refusal
    """The server does not tell; the message says why, for people."""


async def files_of(symbol: str, ask: Ask) -> list[bytes]:
    """The file descriptors, serialised, that define `symbol` and what it needs. Raises NotReflected."""
    for path in PATHS:
        answer = await ask(path, _request(file_containing_symbol=symbol))
        if answer is not None:
            return await _gathered(path, answer, symbol, ask)
    raise NotReflected("The server has no reflection.")


async def _gathered(path: str, answer: bytes, symbol: str, ask: Ask) -> list[bytes]:
    found: dict[str, bytes] = {}
    missing: set[str] = set()
    while True:
        for data in _files(answer, symbol):
            file = FileDescriptorProto.FromString(data)
            found[file.name] = data
            missing.update(file.dependency)
        missing = {name for name in missing if name not in found and not name.startswith("google/protobuf/")}
        if not missing:
            return list(found.values())
        if len(found) > MOST_FILES:
            raise NotReflected(f"The server has more than {MOST_FILES} files for it.")
        wanted = min(missing)
        more = await ask(path, _request(file_by_filename=wanted))
        if more is None:
            raise NotReflected(f"The server does not have {wanted}.")
        answer, symbol = more, wanted


def _request(**wanted: str) -> bytes:
    return bytes(messages.ServerReflectionRequest(**wanted).SerializeToString())


def _files(answer: bytes, symbol: str) -> list[bytes]:
    try:
        read = messages.ServerReflectionResponse.FromString(answer)
    except DecodeError as problem:
        raise NotReflected("The server's reflection cannot be read.") from problem
    if not read.HasField("file_descriptor_response"):
        raise NotReflected(f'The server does not know "{symbol}".')
    return list(read.file_descriptor_response.file_descriptor_proto)
