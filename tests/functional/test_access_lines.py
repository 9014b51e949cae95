"""Lines are the bytes that JSON makes of the plain dictionary, whatever is in it."""

import json
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from authproxy.exchange import Exchange
from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from observability.accesslog.line import Lines, Rules, path_of, query_of, stamp
from observability.traffic.alikes import Alikes
from resilience.outcomes import Outcome
from tests.support.records import ended

OFFSET_S = 1_700_000_000.0
FIELDS = (b"user-agent", b"x-token")
RULES = (
    Rules(),
    Rules(query="full", hide=frozenset({"token", "x-token"}), headers=FIELDS),
    Rules(query="off", hide_paths=("/reset/", "/a")),
)
WRITERS = {rules: Lines(rules) for rules in RULES}
"""One for all examples, as a worker has one for all requests: what it remembers of some must not show in others."""

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
"""Control characters, quotes and all of Unicode but lone surrogates, which nothing of a request can hold."""
paths = st.builds(lambda rest: b"/" + rest, st.binary(max_size=60) | texts.map(str.encode))
long_paths = st.builds(lambda rest: b"/" + rest * 90, st.binary(min_size=1, max_size=30))
seconds = st.floats(0, 1e5) | st.floats(0, 0.01) | st.sampled_from((0.0, 1e-6, 5e-4, 1.0, 1e8))
numbers = st.integers(0, 10**6) | st.integers(0, 2**63)
outcomes = st.sampled_from(list(Outcome))
refusals = st.none() | st.builds(Rejection, st.sampled_from(list(Code)), texts)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    """As far as it came: each later moment only where there is the one before."""
    length = draw(st.none() | numbers)
    head = RequestHead()
    head.content_length = b"" if length is None else b"%d" % length
    pair = st.tuples(st.sampled_from((*FIELDS, b"accept")), st.binary(max_size=20))
    head.passed = draw(st.lists(pair, max_size=4))
    started = draw(st.floats(0, 1e6))
    stages = draw(st.integers(0, 3))
    marks = [started]
    for _ in range(3):
        marks.append(marks[-1] + draw(seconds) + 2e-6)
    admitted, forwarded, answered = (marks[n + 1] if n < stages else 0.0 for n in range(3))
    origin, caller = draw(st.none() | texts), draw(st.none() | texts)
    trace = draw(st.text("0123456789abcdef", min_size=32, max_size=32))
    return ended(
        draw(st.sampled_from(("", "orders"))),
        started=started, admitted=admitted, forwarded=forwarded, answered=answered, ended=marks[-1] + draw(seconds),
        connecting_s=draw(st.just(0.0) | seconds) if forwarded else 0.0,
        method=draw(st.sampled_from(("GET", "POST")) | texts), raw_path=draw(paths | long_paths),
        query=draw(st.just(b"") | st.binary(max_size=30) | st.just(b"a=1&token=s&flag")), head=head,
        service=draw(texts), target=draw(texts), status=draw(st.sampled_from((0, 200, 204, 404, 499, 503))),
        outcome=draw(outcomes), refusal=draw(refusals), auth_failure=draw(st.sampled_from(("missing", "expired"))),
        identity=None if caller is None else Identity(method="jwt", consumer=caller),
        origin=None if origin is None else Origin(origin, "http", ()),
        request_id=draw(st.sampled_from((b"id", b"3f0c" * 8))),
        traceparent=f"00-{trace}-b7ad6b7169203331-01".encode(), sent=draw(numbers), attempts=draw(st.integers(0, 4)),
        failures=draw(st.none() | st.lists(st.tuples(texts, outcomes), max_size=2)), cache=draw(texts),
        would=tuple(draw(st.lists(st.tuples(texts, st.builds(Rejection, st.sampled_from(Code), texts)), max_size=2))),
        revision=draw(numbers),
    )  # fmt: skip


def plain(each: Exchange, rules: Rules) -> dict[str, Any]:
    """What a line says, as plainly as it can be put."""
    scope, head, identity = each.scope, each.head, each.identity
    origin, route = getattr(each, "origin", None), getattr(each, "route", None)
    code = None if each.refusal is None else each.refusal.code
    found: dict[str, Any] = {
        "time": stamp(int((each.ended + OFFSET_S) * 1000 + 0.5)),
        "request_id": each.request_id.decode(),
        "trace_id": each.traceparent[3:35].decode(),
        "client": "" if origin is None else origin.client_ip,
        "consumer": "" if identity is None else identity.consumer,
        "method": each.method[:32],
        "path": path_of(scope["raw_path"], rules),
        "route": "" if route is None else route.name,
        "service": each.service,
        "target": each.target,
        "status": each.status,
        "code": "" if code is None else code.value,
        "ms": phases(each),
        "received": int(head.content_length or 0),
        "sent": each.sent,
        "attempts": each.attempts,
        "retries": max(each.attempts - 1, 0),
        "cache": each.cache,
        "revision": each.snapshot.revision,
    }
    if code in (Code.AUTH_ERROR, Code.FORBIDDEN):
        found["reason"] = "forbidden" if identity else each.auth_failure
    if each.attempts:
        found["outcome"] = each.outcome.value
    if each.failures:
        found["failures"] = [{"target": target, "outcome": how.value} for target, how in each.failures]
    if each.would:
        found["would"] = [{"policy": policy, "code": refusal.code.value} for policy, refusal in each.would]
    if scope["query_string"] and rules.query != "off":
        found["query"] = query_of(scope["query_string"], rules)
    if rules.headers:
        found["headers"] = fields(head, rules)
    return found


def phases(each: Exchange) -> dict[str, float]:
    found = {"total": each.ended - each.started}
    if each.admitted:
        found["auth"] = each.admitted - each.started
    if each.forwarded:
        found["queue"] = each.forwarded - each.admitted
    if each.connecting_s:
        found["connect"] = each.connecting_s
    if each.answered:
        found["upstream"] = each.answered - each.forwarded
    return {name: round(took * 1e6) / 1000 for name, took in found.items()}


def fields(head: RequestHead, rules: Rules) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in head.passed:
        text = name.decode()
        if name in rules.headers:
            shown = "***" if text in rules.hide else value.decode("utf-8", "replace")
            found[text] = f"{found[text]}, {shown}" if text in found else shown
    return found


@settings(max_examples=5 * settings.default.max_examples)
@given(st.lists(exchanges(), min_size=1, max_size=3), st.sampled_from(RULES))
def test_a_line_is_the_plain_dictionary(found: list[Exchange], rules: Rules) -> None:
    for each, alike in zip(found, Alikes().sort(found), strict=True):
        line = WRITERS[rules].of(each, alike, OFFSET_S)
        said = plain(each, rules)

        assert line == orjson.dumps(said) + b"\n"
        assert json.loads(line) == said
