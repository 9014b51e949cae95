"""What requests must be, through the whole data plane, on real sockets: queries, media types and JSON."""

import json
from typing import Any

import pytest

from authproxy.shaping.logonly import JUDGEMENTS
from tests.support.gateway import Answer, RawClient
from tests.support.recording import Recording, proxied

ORDER = {
    "type": "object",
    "required": ["customer"],
    "properties": {
        "customer": {"type": "string", "minLength": 1},
        "quantity": {"type": "integer", "minimum": 1},
        "password": {"type": "string", "minLength": 8},
    },
    "additionalProperties": False,
}
JSON = "Content-Type: application/json"


def error(answer: Answer) -> dict[str, Any]:
    """Code and details."""
    found = json.loads(answer.body)["error"]
    return {"code": found["code"], **found["details"]}


async def post(client: RawClient, body: bytes, *headers: str, method: str = "POST") -> Answer:
    return await client.get("/x", *headers, method=method, body=body)


async def test_a_body_that_fits_goes_on_as_it_came() -> None:
    """Byte for byte, with its length."""
    recording = Recording()
    body = b'{ "customer" :"ada","quantity":2 }'
    async with proxied(recording, validate={"body_schema": ORDER}) as (_plane, client):
        answers = [
            await post(client, body, JSON),
            await post(client, body, "Content-Type: Application/Problem+JSON; charset=UTF-8"),
            await post(client, body),
        ]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert recording.last.body == body


async def test_what_does_not_fit_is_told_place_by_place() -> None:
    """Nothing goes to the service, and no secret comes back."""
    recording = Recording()
    async with proxied(recording, validate={"body_schema": ORDER}) as (_plane, client):
        answer = await post(client, b'{"quantity": 0, "password": "hunter2", "more": [1]}', JSON)

    assert recording.requests == []
    assert answer.status == 400
    found = error(answer)
    assert found["code"] == "VALIDATION_ERROR"
    assert sorted(found["errors"], key=lambda each: each["field"]) == [
        {"field": "/customer", "value": None, "expected": "present"},
        {"field": "/more", "value": "a list of 1", "expected": "absent"},
        {"field": "/password", "value": "***", "expected": "at least 8 characters"},
        {"field": "/quantity", "value": 0, "expected": "at least 1"},
    ]
    assert b"hunter2" not in answer.body


@pytest.mark.parametrize(
    ("body", "headers", "status", "details"),
    [
        (b'{"customer":\n "a",}', [JSON], 400, {"reason": "malformed", "line": 2, "column": 5}),
        (b'{"customer": NaN}', [JSON], 400, {"reason": "malformed"}),
        (b'{"customer":"a","customer":"b"}', [JSON], 400, {"reason": "duplicate", "member": "customer"}),
        (b'{"customer":"\xff"}', [JSON], 400, {"reason": "encoding", "column": 14}),
        (b"", [JSON, "Content-Length: 0"], 400, {"reason": "empty"}),
        (b"  ", [JSON], 400, {"reason": "empty"}),
        (b"{}", ["Content-Type: text/plain"], 415, {"accepted": ["application/json", "application/*+json"]}),
        (b"{}", ["Content-Type: application/json; charset=utf-16"], 415, {"charset": "utf-16"}),
        (b"{}", ["Content-Type: application/json", "Content-Type: text/plain"], 415, {}),
        (b"{}", ["Content-Type: application/json; a=1; a=2"], 415, {}),
        (b"{}", [JSON, "Content-Encoding: gzip"], 415, {"accepted": ["identity"]}),
        (b'["' + b"a" * (1 << 20) + b'"]', [JSON], 413, {"max_body": 1 << 20}),
        (b"[" * 600 + b"]" * 600, [JSON], 400, {}),
    ],
)
async def test_refused_before_the_schema_is_asked(
    body: bytes, headers: list[str], status: int, details: dict[str, Any]
) -> None:
    """For its form, its type or its size."""
    recording = Recording()
    async with proxied(recording, validate={"body_schema": ORDER}) as (_plane, client):
        answer = await post(client, body, *headers)

    assert answer.status == status
    assert details.items() <= error(answer).items()
    assert recording.requests == []


async def test_media_types_are_compared_without_case_and_parameters() -> None:
    """415 says what would be taken."""
    recording = Recording()
    rules = {"content_types": ["text/csv", "image/*"]}
    async with proxied(recording, validate=rules) as (_plane, client):
        passed = [
            await post(client, b"a", "Content-Type: TEXT/CSV; header=present"),
            await post(client, b"a", "Content-Type: image/anything"),
            await client.get("/x"),
        ]
        refused = [await post(client, b"a", "Content-Type: text/html"), await post(client, b"a")]

    assert [answer.status for answer in passed] == [200, 200, 200]
    assert [answer.status for answer in refused] == [415, 415]
    assert refused[0].header("accept") == "text/csv, image/*"
    assert error(refused[0])["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert error(refused[1]) == {
        "code": "UNSUPPORTED_MEDIA_TYPE",
        "content_type": None,
        "accepted": ["text/csv", "image/*"],
    }


async def test_a_type_that_is_listed_is_json_whatever_its_name() -> None:
    """So that no name leads around the schema."""
    rules = {"content_types": ["text/plain"], "body_schema": ORDER}
    async with proxied(Recording(), validate=rules) as (_plane, client):
        right = await post(client, b'{"customer":"a"}', "Content-Type: text/plain")
        wrong = await post(client, b"customer=a", "Content-Type: text/plain")

    assert (right.status, wrong.status) == (200, 400)


async def test_requests_without_a_body_need_none_where_their_method_has_none() -> None:
    """A GET of the same route passes; one with a body is judged."""
    async with proxied(Recording(), validate={"body_schema": ORDER}) as (_plane, client):
        assert (await client.get("/x")).status == 200
        assert (await client.get("/x", method="DELETE")).status == 200
        assert (await client.get("/x", JSON, body=b"{}")).status == 400
        assert (await client.get("/x", "Content-Length: 0", method="PATCH")).status == 400


async def test_a_chunked_body_is_judged_like_any_other() -> None:
    """In pieces of one byte, and refused at the byte that is too many."""
    recording = Recording()
    head = (
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    rules = {"body_schema": ORDER}
    async with proxied(recording, validate=rules, limits={"max_body": "32B"}) as (plane, client):
        await client.send(
            head + b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"customer":"a"}') + b"0\r\n\r\n"
        )
        right = await client.answer()
        async with RawClient(plane.port) as other:
            await other.send(head + b"21\r\n" + b"a" * 33)
            large = await other.answer()

    assert right.status == 200
    assert recording.last.body == b'{"customer":"a"}'
    assert large.status == 413
    assert len(recording.requests) == 1


QUERY = {
    "type": "object",
    "required": ["page"],
    "properties": {
        "page": {"type": "integer", "minimum": 1},
        "ratio": {"type": "number"},
        "all": {"type": "boolean"},
        "tag": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        "name": {"type": "string"},
        "token": {"type": "string", "maxLength": 3},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("page=1", []),
        ("page=1&ratio=-1.5e3&all=true&name=5&tag=1&tag=2", []),
        ("page=1&tag=1", []),
        ("", ["page"]),
        ("page=0", ["page"]),
        ("page=01", ["page"]),
        ("page=1.0", ["page"]),
        ("page=1&page=2", ["page"]),
        ("page=1&all=yes", ["all"]),
        ("page=1&tag=1&tag=x", ["tag[1]"]),
        ("page=1&tag=1&tag=2&tag=3", ["tag"]),
        ("page=1&other=1", ["other"]),
        ("page=1&token=secret", ["token"]),
    ],
)
async def test_queries_are_read_as_their_schema_says(query: str, fields: list[str]) -> None:
    """Numbers, booleans and lists, or texts."""
    async with proxied(Recording(), validate={"query_schema": QUERY}) as (_plane, client):
        answer = await client.get(f"/x?{query}")

    assert answer.status == (400 if fields else 200)
    if fields:
        assert [each["field"] for each in error(answer)["errors"]] == fields
        assert b"secret" not in answer.body


@pytest.mark.parametrize("query", ["page=%ff", "&".join(["a=1"] * 1001)])
async def test_queries_that_cannot_be_read(query: str) -> None:
    """Not UTF-8, or too many parameters."""
    async with proxied(Recording(), validate={"query_schema": QUERY}) as (_plane, client):
        answer = await client.get(f"/x?{query}")

    assert answer.status == 400
    assert error(answer)["code"] == "VALIDATION_ERROR"


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(
    ("url", "status", "details"),
    [
        (f"data:image/png;base64,{PNG}", 200, {}),
        (f"data:image/jpeg;base64,{PNG}", 415, {"field": "/images/1/url", "found": "image/png"}),
        ("data:image/png;base64,AAAA", 415, {"found": "not recognised"}),
        (f"data:image/png;base64,{PNG[:-1]}", 400, {"field": "/images/1/url"}),
        (f"data:image/png;base64,{PNG}\n", 400, {}),
        ("https://example.com/a.png", 400, {"expected": "a data: URL"}),
        (f"data:image/png;base64,{PNG}{'A' * 400}", 400, {}),
        (f"data:image/png;base64,{PNG[:-2]}AA{'A' * 400}", 413, {"max_file": 200}),
        ("data:image/png,%89PNG%0D%0A%1A%0A", 200, {}),
        ("data:,plain", 415, {"found": "text/plain"}),
        (5, 400, {}),
        (None, 200, {}),
    ],
)
async def test_files_inside_of_json(url: object, status: int, details: dict[str, Any]) -> None:
    """By the rules of uploads."""
    rules = {"upload": {"types": ["image/png"], "max_file": "200B"}, "data_urls": ["/images/*/url"]}
    good = {"url": f"data:image/png;base64,{PNG}"}
    async with proxied(Recording(), validate=rules) as (_plane, client):
        answer = await post(client, json.dumps({"images": [good, {"url": url}]}).encode(), JSON)

    assert answer.status == status
    if details:
        assert details.items() <= error(answer).items()


async def test_log_judges_and_lets_pass() -> None:
    """Whatever is wrong: each is counted, and all of the body goes on."""
    recording = Recording()
    rules = {"body_schema": ORDER, "query_schema": QUERY, "mode": "log"}
    before = JUDGEMENTS.would_refuse.copy()
    async with proxied(recording, validate=rules, limits={"max_body": "1KB"}) as (_plane, client):
        statuses = [
            (await client.get("/x?page=1", JSON, method="POST", body=body)).status
            for body in (b"{}", b"nonsense", b"")
        ]
        await client.get("/x", "Content-Type: text/plain", method="POST", body=b"hello")

    assert statuses == [200, 200, 200]
    assert recording.last.body == b"hello"
    counted = JUDGEMENTS.would_refuse - before
    assert {reason for (_, policy, reason) in counted if policy == "validate"} == {
        "body_schema",
        "malformed",
        "empty",
        "query_schema",
        "content_type",
    }


async def test_log_lets_large_bodies_pass_whole() -> None:
    """What is not read to its end is given again from its beginning."""
    recording = Recording()
    body = json.dumps({"customer": "a" * (3 << 20)}).encode()
    head = (
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with proxied(recording, validate={"body_schema": ORDER, "mode": "log"}) as (_plane, client):
        known = await post(client, body, JSON)
        await client.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        unknown = await client.answer()

    assert (known.status, unknown.status) == (200, 200)
    assert [request.body == body for request in recording.requests] == [True, True]


async def test_a_body_may_be_left_out_where_the_route_says_so() -> None:
    """One that is there is judged."""
    head = (
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with proxied(Recording(), validate={"body_schema": ORDER, "body_required": False}) as (
        _plane,
        client,
    ):
        without = await client.get("/x", method="POST")
        await client.send(head + b"0\r\n\r\n")
        empty = await client.answer()
        wrong = await post(client, b"{}", JSON)

    assert (without.status, empty.status, wrong.status) == (200, 200, 400)
