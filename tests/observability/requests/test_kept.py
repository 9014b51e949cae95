"""What is kept of a record."""

from authproxy.forwarded import Origin
from authproxy.headers import read
from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from observability.requests.kept import kept_of, phases
from observability.requests.masking import Masking
from resilience.outcomes import Outcome
from tests.support.records import record

FORBIDDEN = Rejection(Code.FORBIDDEN, "You may not do this.", details={"missing_scopes": ["write"]})


def test_a_refused_request() -> None:
    """Who, where, why; nothing that proves who."""
    ada = Identity(
        method="jwt", consumer="ada", roles=frozenset({"reader"}), direct=frozenset({"read"}), plan="gold"
    )
    given = record(
        "orders",
        status=403,
        refusal=FORBIDDEN,
        identity=ada,
        origin=Origin("203.0.113.7", "https", ()),
        raw_path=b"/orders/\xff",
        query=b"token=abc",
        head=read([(b"host", b"api.test"), (b"authorization", b"Bearer x"), (b"accept", b"*/*")]),
        traceparent=b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",
        would=(("ip", FORBIDDEN), ("quotas", FORBIDDEN), ("quotas", FORBIDDEN)),
    )
    kept = kept_of(given, 1000.0, Masking())

    assert (kept.at, kept.duration_ms, kept.trace_id) == (1100.0, 10.0, "a" * 32)
    assert (kept.route, kept.code, kept.consumer, kept.client) == (
        "orders",
        "FORBIDDEN",
        "ada",
        "203.0.113.7",
    )
    assert (kept.path, kept.query, kept.would) == ("/orders/\xff", "token=…", " ip quotas ")
    assert kept.facts["headers"] == [("host", "api.test"), ("authorization", "Bearer …"), ("accept", "*/*")]
    assert kept.facts["refusal"]["details"] == {"missing_scopes": ["write"]}
    assert (kept.facts["caller"]["roles"], kept.facts["caller"]["ceiling"]) == (["reader"], None)
    assert [each["policy"] for each in kept.facts["would"]] == ["ip", "quotas", "quotas"]


def test_attempts_that_failed() -> None:
    """Each with its target."""
    kept = kept_of(
        record("r", attempts=2, failures=[("http://a", Outcome.RESET)], service="s", target="http://b"),
        0.0,
        Masking(),
    )

    assert kept.facts["failures"] == [["http://a", "reset"]]
    assert "caller" not in kept.facts


def test_phases_are_of_the_way_that_it_came() -> None:
    """One that was refused at the door has one only."""
    full = record("r", admitted=100.001, forwarded=100.003, answered=100.009)

    assert phases(full) == {"admission": 1.0, "waiting": 2.0, "upstream": 6.0, "rest": 1.0}
    assert phases(record("r")) == {"rest": 10.0}
    assert phases(full._replace(connecting_s=0.004))["connect"] == 4.0
