"""One request as a line."""

from typing import Any

import orjson
import pytest

from authproxy.exchange import Exchange
from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from observability.accesslog.line import LONGEST, Lines, Rules, path_of, query_of, refused_line
from observability.traffic.alikes import Alikes
from resilience.outcomes import Outcome
from tests.support.gateway import document, route
from tests.support.records import ended
from tests.support.snapshots import snapshot_of

TRACE = b"00-0af7651916cd43dd8448eb2180000000-b7ad6b7169203331-01"
LIMITED = Rejection(Code.RATE_LIMIT, "Too many.")
HIDE = frozenset({"token"})


ALL = Rules()


def line_of(each: Exchange, rules: Rules = ALL) -> bytes | None:
    (alike,) = Alikes().sort([each])
    return Lines(rules).of(each, alike, 1_000_000.0)


def is_wanted(each: Exchange, rules: Rules) -> bool:
    return line_of(each, rules) is not None


def written(each: Exchange, rules: Rules = ALL) -> dict[str, Any]:
    line = line_of(each, rules)
    assert line is not None
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    found: dict[str, Any] = orjson.loads(line)
    return found


def test_everything_of_a_forwarded_request() -> None:
    found = written(
        ended(
            "orders", service="shop", target="http://a", attempts=2, failures=[("http://b", Outcome.RESET)],
            admitted=100.001, forwarded=100.003, answered=100.008, connecting_s=0.004, traceparent=TRACE, cache="MISS",
            sent=12,
            origin=Origin("192.0.2.7", "http", ()), identity=Identity(method="jwt", consumer="ann"),
            raw_path=b"/orders/1", query=b"page=2",
        )
    )  # fmt: skip

    assert found == {
        "time": "1970-01-12T13:48:20.010+00:00",
        "request_id": "id",
        "trace_id": "0af7651916cd43dd8448eb2180000000",
        "client": "192.0.2.7",
        "consumer": "ann",
        "method": "GET",
        "path": "/orders/1",
        "query": "page=***",
        "route": "orders",
        "service": "shop",
        "target": "http://a",
        "status": 200,
        "code": "",
        "ms": {"total": 10.0, "auth": 1.0, "queue": 2.0, "connect": 4.0, "upstream": 5.0},
        "received": 0,
        "sent": 12,
        "attempts": 2,
        "retries": 1,
        "outcome": "ok",
        "failures": [{"target": "http://b", "outcome": "reset"}],
        "cache": "MISS",
        "revision": 1,
    }


def test_why_it_was_refused() -> None:
    refused = Rejection(Code.AUTH_ERROR, "Who?")
    found = written(ended("a", status=401, refusal=refused, auth_failure="expired"))

    assert (found["code"], found["reason"], found["ms"]) == ("AUTH_ERROR", "expired", {"total": 10.0})
    assert written(ended("a", would=(("quota", LIMITED),)))["would"] == [
        {"policy": "quota", "code": "RATE_LIMIT"}
    ]


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("names", "a=***&token=***&flag"), ("full", "a=1&token=***&flag"), ("off", None)],
)
def test_queries(mode: Any, shown: str | None) -> None:
    rules = Rules(query=mode, hide=HIDE)

    assert written(ended(query=b"a=1&token=s3cret&flag"), rules).get("query") == shown


@pytest.mark.parametrize("query", [b"", b"a=1"])
@pytest.mark.parametrize("name", ["100%b", "%", "%%(a)s"])
@pytest.mark.parametrize("path", [b"/%41%b%d", b'/"', b"/\\", b"/\x00", "/ä".encode(), b"/plain"])
def test_what_templates_are_made_of_stays_as_it_is(query: bytes, name: str, path: bytes) -> None:
    """Of requests that say more as well."""
    usual: dict[str, Any] = {
        "service": name, "target": name, "cache": name, "method": name, "raw_path": path, "query": query,
        "admitted": 100.0000014, "forwarded": 100.002, "answered": 100.0091, "attempts": 1,
    }  # fmt: skip
    head = RequestHead()
    head.content_length = b"007"
    found = written(ended("a", **usual, head=head), Rules(query="full"))
    more = written(ended("a", **usual, head=head, failures=[(name, Outcome.RESET)]), Rules(query="full"))

    assert [found[each] for each in ("service", "target", "cache", "method")] == [name] * 4
    assert (found["path"], found.get("query", "")) == (path.decode(), query.decode())
    assert (found["ms"], found["received"]) == (
        {"total": 10.0, "auth": 0.001, "queue": 1.999, "upstream": 7.1}, 7,
    )  # fmt: skip
    assert more.pop("failures") == [{"target": name, "outcome": "reset"}]
    assert more == found


def test_paths_and_fields_by_rule() -> None:
    head = RequestHead()
    head.passed = [(b"user-agent", b"curl\xff"), (b"x-token", b"s3cret"), (b"accept", b"*/*")]
    rules = Rules(hide=frozenset({"x-token"}), hide_paths=("/reset/",), headers=(b"user-agent", b"x-token"))
    found = written(ended(raw_path=b"/reset/s3cret", head=head), rules)

    assert found["path"] == "/reset/***"
    assert found["headers"] == {"user-agent": "curl�", "x-token": "***"}


def test_lines_after_each_other_share_nothing_that_differs() -> None:
    """Neither the millisecond nor the fields of the client; at half a one the next begins."""
    lines = Lines(Rules(headers=(b"user-agent",)))
    found = []
    for ended_s, agent in ((0.0, b"a"), (0.0004, b"b"), (0.0006, b"a"), (0.0, b""), (1.0, b"b")):
        head = RequestHead()
        head.passed = [(b"accept", b"*/*"), *([(b"user-agent", agent)] if agent else [])]
        each = ended(ended=100.0 + ended_s, head=head)
        (alike,) = Alikes().sort([each])
        line = orjson.loads(lines.of(each, alike, 0.0) or b"")
        found.append((line["time"][17:23], line["headers"].get("user-agent")))

    assert found == [("40.000", "a"), ("40.000", "b"), ("40.001", "a"), ("40.000", None), ("41.000", "b")]


def test_few_kinds_of_clients_are_remembered() -> None:
    """Whoever makes up a name for each request fills no memory."""
    lines = Lines(Rules(headers=(b"user-agent",)))
    for number in range(1000):
        head = RequestHead()
        head.passed = [(b"user-agent", b"agent %d" % number), (b"user-agent", b"x" * 2000 * (number % 2))]
        each = ended(head=head)
        (alike,) = Alikes().sort([each])
        assert b'{"user-agent":"agent %d, ' % number in (lines.of(each, alike, 0.0) or b"")

    assert 0 < len(lines._shown) <= 256
    assert all(len(value) < 2000 for fields in lines._shown for _, value in fields)


def test_what_is_long_is_cut() -> None:
    long = b"x" * 10_000

    assert len(path_of(b"/" + long, Rules())) == LONGEST + 1
    assert len(query_of(long + b"=1", Rules())) == LONGEST + 1
    assert len(line_of(ended(raw_path=long, query=long, method="M" * 999)) or b"") < 4096


@pytest.mark.parametrize("raw", [b"/\xff\xfe", b'/"\n', b"/\xed\xa0\x80"])
def test_any_bytes_are_one_line(raw: bytes) -> None:
    assert written(ended(raw_path=raw, query=raw))["path"].startswith("/")


@pytest.mark.parametrize(
    ("fields", "is_kept"),
    [
        ({}, False),
        ({"traceparent": TRACE.replace(b"80000000", b"0fffffff")}, True),
        ({"status": 404}, True),
        ({"status": 499}, True),
        ({"would": (("quota", LIMITED),)}, True),
    ],
)
def test_a_share_of_what_went_well_and_all_errors(fields: dict[str, Any], is_kept: bool) -> None:
    """By trace id, so that gateways in a row write the same ones."""
    each = ended(**{"traceparent": TRACE, **fields})

    assert is_wanted(each, Rules(sample=0.1)) is is_kept
    assert is_wanted(each, Rules())


ERROR = {"status": 502}
WELL = {"traceparent": TRACE}


@pytest.mark.parametrize(
    ("log", "fields", "sample", "is_kept"),
    [
        ({"access": False}, WELL, 1.0, False),
        ({"access": False}, ERROR, 1.0, False),
        ({"access": False}, {"would": (("quota", LIMITED),)}, 1.0, False),
        ({}, WELL, 0.1, False),
        ({}, WELL, 1.0, True),
        ({"sample": 0.1}, WELL, 1.0, False),
        ({"sample": 0.1}, ERROR, 1.0, True),
        ({"sample": 0.9}, WELL, 0.1, True),
        ({"sample": 0}, WELL, 1.0, False),
        ({"sample": 0}, ERROR, 1.0, True),
    ],
)
def test_a_route_may_say_otherwise(
    log: dict[str, Any], fields: dict[str, Any], sample: float, is_kept: bool
) -> None:
    """Its share takes the place of the settings'. Errors are written, unless it writes nothing."""
    raw = document(route("quiet", respond={"status": 200}, log=log))
    each = ended(**fields)
    each.route = snapshot_of(raw).routes["quiet"]

    assert is_wanted(each, Rules(sample=sample)) is is_kept


def test_what_the_server_refused() -> None:
    line = refused_line(0.0, client="192.0.2.7", status=431, code="HEADERS_TOO_LARGE", request_id="id")

    assert orjson.loads(line)["status"] == 431
