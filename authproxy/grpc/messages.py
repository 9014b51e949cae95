"""P: gRPC messages from JSON and to JSON (protobuf's JSON mapping), by descriptors.

Of a request with a body, the body is the message; one without takes its fields from the query, dotted for what lies
deeper. Variables of the path are set last (as in google.api.http). 64-bit integers are strings in answers.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import orjson
from google.protobuf import any_pb2, json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from routing.descriptors import pool_of

DEEPEST: Final = 64
_PLACE: Final = re.compile(r"^Failed to parse (\S+) field: (.*)$", re.DOTALL)
Pairs = Iterable[tuple[str, str]]


class Unfit(NamedTuple):
    """Why no message can be made: the field, if one is to blame, and what is wrong."""

    field: str
    message: str


class Method:
    """One method: how its messages are made and read."""

    def __init__(self, descriptor: MethodDescriptor, pool: DescriptorPool) -> None:
        self.path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
        self.is_streaming: bool = descriptor.server_streaming
        self.takes_stream: bool = descriptor.client_streaming
        self._pool = pool
        self._input: Descriptor = descriptor.input_type
        self._request = GetMessageClass(descriptor.input_type)
        self._response = GetMessageClass(descriptor.output_type)

    def encode(self, body: bytes, query: Pairs, variables: Pairs) -> bytes | Unfit:
        """The request message, serialised."""
        written: Any = {}
        if body:
            try:
                written = orjson.loads(body)
            except orjson.JSONDecodeError as problem:
                return Unfit("", f"The body is not JSON: {problem}")
            if not isinstance(written, dict) and self._input.file.package != "google.protobuf":
                return Unfit("", "The body must be a JSON object.")
            query = ()
        for name, value in query:
            if (unfit := _put(written, self._input, name, value, overwrites=False)) is not None:
                return unfit
        for name, value in variables:
            if (unfit := _put(written, self._input, name, value, overwrites=True)) is not None:
                return unfit
        message = self._request()
        try:
            json_format.ParseDict(written, message, descriptor_pool=self._pool, max_recursion_depth=DEEPEST)
            return bytes(message.SerializeToString())
        except (json_format.ParseError, ValueError, TypeError, RecursionError) as problem:
            return _unfit(problem)

    def decode(self, data: bytes) -> bytes | None:
        """An answer's message as JSON; None if it is none of the method's."""
        try:
            return orjson.dumps(_as_json(self._response.FromString(data), self._pool))
        except (DecodeError, json_format.Error, ValueError, TypeError, RecursionError):
            return None


class Methods:
    """What a service's descriptors say."""

    def __init__(self, files: Iterable[bytes]) -> None:
        """Raises BadDescriptors."""
        self._pool = pool_of(files)
        self._known: dict[tuple[str, str], Method] = {}

    def find(self, service: str, method: str) -> Method | None:
        """The method, if there is such a one."""
        known = self._known.get((service, method))
        if known is None:
            try:
                descriptor = self._pool.FindServiceByName(service).methods_by_name.get(method)
            except KeyError:
                return None
            if descriptor is None:
                return None
            known = self._known[service, method] = Method(descriptor, self._pool)
        return known

    def details(self, data: bytes) -> list[Any]:
        """The details of a `google.rpc.Status`; of what is not known, its type and nothing more."""
        found: list[Any] = []
        for number, part in _fields(data):
            if number == _DETAILS:
                try:
                    packed = any_pb2.Any.FromString(part)
                except DecodeError:
                    continue
                found.append(_told(packed, self._pool))
        return found


_DETAILS: Final = 3


def _fields(data: bytes) -> Iterable[tuple[int, bytes]]:
    """The length-delimited fields of a message, by number."""
    at = 0
    try:
        while at < len(data):
            key, at = _varint(data, at)
            size, at = _varint(data, at)
            if key & 7 == 2:
                yield key >> 3, data[at : at + size]
                at += size
    except IndexError:
        return


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _told(packed: any_pb2.Any, pool: DescriptorPool) -> Any:
    try:
        return _as_json(packed, pool)
    except (json_format.Error, TypeError, ValueError, KeyError):
        return {"@type": packed.type_url}


def _as_json(message: Message, pool: DescriptorPool) -> Any:
    return json_format.MessageToDict(
        message,
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=False,
        descriptor_pool=pool,
    )


def _put(written: Any, descriptor: Descriptor, name: str, value: str, *, overwrites: bool) -> Unfit | None:
    """Set a field by its dotted name; one that repeats is added to."""
    if not isinstance(written, dict):
        return Unfit(name, "The body must be a JSON object.")
    *above, last = name.split(".")
    for step in above:
        field = _field(descriptor, step)
        if field is None or field.message_type is None or field.is_repeated:
            return Unfit(name, f'There is no field "{name}".')
        descriptor = field.message_type
        written = written.setdefault(field.json_name, {})
        if not isinstance(written, dict):
            return Unfit(name, f'"{step}" is not an object.')
    field = _field(descriptor, last)
    if field is None:
        return Unfit(name, f'There is no field "{name}".')
    one = _typed(field, value)
    if overwrites:
        written.pop(field.name, None)
        written[field.json_name] = [one] if field.is_repeated else one
    elif field.is_repeated:
        written.setdefault(field.json_name, []).append(one)
    elif field.json_name in written:
        return Unfit(name, "The field is there twice.")
    else:
        written[field.json_name] = one
    return None


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    found: FieldDescriptor | None = descriptor.fields_by_name.get(
        name
    ) or descriptor.fields_by_camelcase_name.get(name)
    return found


def _typed(field: FieldDescriptor, value: str) -> Any:
    """Texts stand for all but booleans in protobuf's JSON."""
    is_wrapper = (
        field.message_type is not None and field.message_type.full_name == "google.protobuf.BoolValue"
    )
    if field.type == FieldDescriptor.TYPE_BOOL or is_wrapper:
        return {"true": True, "false": False}.get(value, value)
    return value


def _unfit(problem: Exception) -> Unfit:
    match = _PLACE.match(str(problem))
    field, message = (match[1], match[2]) if match else ("", str(problem))
    return Unfit(field, message[:500])
