"""Messages from JSON and back."""

import math
from typing import Any

import orjson
import pytest
from google.protobuf import any_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from authproxy.grpc.messages import Method, Methods, Unfit
from routing.descriptors import BadDescriptors
from tests.support.grpcserver import echo_file

KNOWN = Methods([echo_file().SerializeToString()])


def say() -> Method:
    found = KNOWN.find("echo.Echo", "Say")
    assert found is not None
    return found


def whole(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "aDouble": st.floats(allow_nan=False, allow_infinity=False),
    "aFloat": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "aBool": st.booleans(),
    "aString": st.text(st.characters(exclude_categories=("Cs",))),
    **dict.fromkeys(("aInt32", "aSint32", "aSfixed32"), whole(32, signed=True)),
    **dict.fromkeys(("aUint32", "aFixed32"), whole(32, signed=False)),
    **dict.fromkeys(("aInt64", "aSint64", "aSfixed64"), whole(64, signed=True).map(str)),
    **dict.fromkeys(("aUint64", "aFixed64"), whole(64, signed=False).map(str)),
}


@given(st.fixed_dictionaries({}, optional=SCALARS))
def test_scalars_come_back_as_they_were(written: dict[str, Any]) -> None:
    """JSON → message → JSON, for each scalar type; 64-bit integers are strings."""
    method = say()
    message = method.encode(orjson.dumps(written), (), ())
    assert isinstance(message, bytes)
    back = method.decode(message)
    assert back is not None
    told = orjson.loads(back)
    for name, value in written.items():
        if name == "aFloat":
            assert math.isclose(told[name], value, rel_tol=1e-6, abs_tol=1e-44)
        else:
            assert told[name] == value


@given(st.binary(max_size=200))
def test_any_body_is_a_message_or_unfit(body: bytes) -> None:
    """Nothing else comes of what a client sends."""
    assert isinstance(say().encode(body, (), ()), bytes | Unfit)


def test_deep_bodies_are_unfit() -> None:
    """Nobody exhausts the stack."""
    body = b'{"inner":' * 200 + b"{}" + b"}" * 200
    assert isinstance(say().encode(body, (), ()), Unfit)


def test_what_is_no_message_is_none() -> None:
    """A service may answer anything."""
    assert say().decode(b"\xff\xff\xff") is None


def test_files_in_any_order_but_not_without_each_other() -> None:
    """As a server may list them."""
    other = FileDescriptorProto(
        name="other.proto", package="other", syntax="proto3", dependency=["echo.proto"]
    )
    files = [other.SerializeToString(), echo_file().SerializeToString()]
    assert Methods(files).find("echo.Echo", "Count") is not None
    with pytest.raises(BadDescriptors, match=r"other\.proto"):
        Methods(files[:1])
    with pytest.raises(BadDescriptors, match="not a file descriptor"):
        Methods([b"\xff\xff"])
    circle = FileDescriptorProto(name="c.proto", dependency=["c.proto"]).SerializeToString()
    with pytest.raises(BadDescriptors, match="circle"):
        Methods([circle])


def test_details_of_a_status() -> None:
    """As JSON where the type is known; else by the type's name. Garbage is nothing."""
    known = any_pb2.Any()
    known.Pack(timestamp_pb2.Timestamp(seconds=1))
    unknown = any_pb2.Any(type_url="type.googleapis.com/not.Known", value=b"x")
    data = b"\x08\x05" + b"".join(
        b"\x1a" + bytes([len(each)]) + each
        for each in (known.SerializeToString(), unknown.SerializeToString())
    )
    assert KNOWN.details(data) == [
        {"@type": "type.googleapis.com/google.protobuf.Timestamp", "value": "1970-01-01T00:00:01Z"},
        {"@type": "type.googleapis.com/not.Known"},
    ]
    assert KNOWN.details(b"\x1a\xff") == []
