"""P: Uploaded gRPC descriptor sets (`protoc --descriptor_set_out --include_imports`), as the document holds them.

A set is base64 text, of the file as it is or gzipped. The only place above the transport that needs protobuf, which is
an extra: whoever imports this has to expect ImportError.
"""

import zlib
from base64 import b64decode
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

LARGEST_SET: Final = 4 << 20
"""Bytes, unpacked."""
MOST_FILES: Final = 1000
_GZIP: Final = b"\x1f\x8b"
_WELL_KNOWN: Final = (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)


class BadDescriptors(ValueError):  # noqa: N818 - a finding
    """Descriptors that cannot be read or do not fit together; the message says how."""


@lru_cache(maxsize=64)
def files_of(text: str) -> tuple[bytes, ...]:
    """The serialised files of a set. Raises BadDescriptors."""
    try:
        data = b64decode("".join(text.split()), validate=True)
    except ValueError as problem:
        raise BadDescriptors("is not base64") from problem
    if data[:2] == _GZIP:
        data = _unpacked(data)
    if len(data) > LARGEST_SET:
        raise BadDescriptors(f"is larger than {LARGEST_SET >> 20} MB")
    try:
        files = FileDescriptorSet.FromString(data).file
    except DecodeError as problem:
        raise BadDescriptors("is not a descriptor set as protoc --descriptor_set_out writes it") from problem
    if not files:
        raise BadDescriptors("has no files in it")
    if len(files) > MOST_FILES:
        raise BadDescriptors(f"has more than {MOST_FILES} files")
    return tuple(file.SerializeToString() for file in files)


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(data, LARGEST_SET + 1)
    except zlib.error as problem:
        raise BadDescriptors(f"is not gzip: {problem}") from problem
    if not unpacking.eof and len(found) <= LARGEST_SET:
        raise BadDescriptors("is gzip that ends too early")
    return found


def pool_of(files: Iterable[bytes]) -> DescriptorPool:
    """All files with what they import; the well-known types need not be among them. Raises BadDescriptors."""
    pool = DescriptorPool()
    waiting: dict[str, FileDescriptorProto] = {}
    for module in _WELL_KNOWN:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    provided = {module.DESCRIPTOR.name for module in _WELL_KNOWN}
    for data in files:
        try:
            file = FileDescriptorProto.FromString(data)
        except DecodeError as problem:
            raise BadDescriptors(f"not a file descriptor: {problem}") from problem
        if file.name not in provided:
            waiting[file.name] = file
    _add(pool, waiting)
    return pool


def _add(pool: DescriptorPool, waiting: dict[str, FileDescriptorProto]) -> None:
    while waiting:
        ready = [file for file in waiting.values() if not any(name in waiting for name in file.dependency)]
        if not ready:
            raise BadDescriptors("files import each other in a circle")
        for file in ready:
            try:
                pool.Add(file)
                pool.FindFileByName(file.name)
            except (TypeError, KeyError) as problem:
                raise BadDescriptors(f"{file.name}: {problem}") from problem
            del waiting[file.name]


@lru_cache(maxsize=64)
def methods_of(text: str) -> dict[str, dict[str, bool]]:
    """Of a set's text: its services, their methods, and whether each takes a stream. Raises BadDescriptors."""
    files = files_of(text)
    pool = pool_of(files)
    found: dict[str, dict[str, bool]] = {}
    for data in files:
        described = pool.FindFileByName(FileDescriptorProto.FromString(data).name)
        for service in described.services_by_name.values():
            found[service.full_name] = {each.name: each.client_streaming for each in service.methods}
    if not found:
        raise BadDescriptors("has no services in it")
    return found
