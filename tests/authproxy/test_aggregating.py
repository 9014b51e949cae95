"""What is made of the parts of an aggregate."""

from typing import Any

import orjson
import pytest

from authproxy.aggregating import Got, merged, read, to_caches
from authproxy.rejections import Code, Rejection
from authproxy.subrequests import Answer
from routing.aggregation import Aggregate, aggregate_of
from routing.document.destinations import AggregateSpec


def aggregate(**parts: Any) -> Aggregate:
    asked = {name: {"service": "s", "path": "/", **part} for name, part in parts.items()}
    return aggregate_of(AggregateSpec.model_validate({"parts": asked}))


@pytest.mark.parametrize(
    ("part", "body", "value"),
    [
        ({}, b'{"a": 12345678901234567.0}', {"a": 12345678901234567.0}),
        ({}, b"", None),
        ({"pick": "items[:1]"}, b'{"items": [1, 2]}', [1]),
        ({"pick": "none"}, b"{}", None),
    ],
)
async def test_a_part_s_value(part: dict[str, Any], body: bytes, value: Any) -> None:
    """JSON, or what was picked of it."""
    (one,) = aggregate(a=part).parts
    result = await read(one, Answer(200, [], body))

    assert isinstance(result, Got)
    assert result.value == value
    assert orjson.loads(orjson.dumps(result.written)) == value


@pytest.mark.parametrize(
    ("part", "status", "body"),
    [
        ({}, 200, b"<html>"),
        ({}, 200, b'{"a": NaN}'),
        ({}, 404, b"{}"),
        ({}, 302, b"{}"),
        ({"pick": "length(a)"}, 200, b'{"a": 1}'),
    ],
)
async def test_what_is_no_value(part: dict[str, Any], status: int, body: bytes) -> None:
    """Neither errors nor redirects, nor what an expression cannot be applied to."""
    (one,) = aggregate(a=part).parts
    result = await read(one, Answer(status, [], body))

    assert isinstance(result, Rejection)
    assert result.code is Code.BAD_GATEWAY
    assert result.details["service"] == "s"


def test_what_is_missing_is_said() -> None:
    """In the document's order, with what stands in."""
    whole = aggregate(b={"path": "/${parts.a.id}", "fallback": []}, a={})
    late = Rejection(Code.UPSTREAM_TIMEOUT, "late")
    written, is_whole = merged(whole, {"a": Got(orjson.Fragment(b'{"id":1.0}'), {"id": 1.0}), "b": late})

    assert written == b'{"b":[],"a":{"id":1.0},"errors":{"b":{"code":"UPSTREAM_TIMEOUT","message":"late"}}}'
    assert not is_whole
    assert merged(whole, {"a": Got(1, 1), "b": Got(2, 2)}) == (b'{"b":2,"a":1}', True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([], []),
        ([(b"cache-control", b"public, max-age=9")], []),
        ([(b"cache-control", b"max-age=9, private")], [(b"cache-control", b"no-store")]),
        ([(b"set-cookie", b"a=b")], [(b"cache-control", b"no-store")]),
        ([(b"vary", b"*")], [(b"cache-control", b"no-store"), (b"vary", b"*")]),
        ([(b"vary", b"Accept-Encoding, X-Tenant"), (b"vary", b"accept")], [(b"vary", b"x-tenant")]),
    ],
)
async def test_what_parts_say_to_caches_holds_for_the_whole(
    said: list[tuple[bytes, bytes]], told: list[tuple[bytes, bytes]]
) -> None:
    """One that lets nobody keep its answer is enough; what the gateway asks of all alike is left out of Vary."""
    (one,) = aggregate(a={}).parts
    results = [Got(1, 1), await read(one, Answer(200, [*said, (b"x-else", b"1")], b"1"))]

    assert list(to_caches(results, is_whole=True)) == told
    assert (b"cache-control", b"no-store") in to_caches(results, is_whole=False)
