"""Records, added up."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.headers import RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from observability.traffic.folding import OTHER, Caller, Cell, Key, Tally, fold
from observability.traffic.histogram import bucket_of
from resilience.outcomes import Outcome
from tests.support.records import record

LIMITED = Rejection(Code.RATE_LIMIT, "Too many.")


def test_alike_requests_are_one_cell() -> None:
    head = RequestHead()
    head.content_length = b"7"
    one = record("orders", service="shop", sent=10, head=head, forwarded=100.0, answered=100.25, ended=100.5)

    cells = fold([one, one, record("orders", service="shop", status=404)]).cells

    key = Key("orders", "shop", "GET", 200, "")
    assert cells[key] == Cell(
        count=2, seconds=1.0, upstream_s=0.5, received=14, sent=20, buckets={bucket_of(0.5): 2}
    )
    assert cells[key._replace(status=404)].count == 1


def test_what_the_gateway_answered_itself_has_a_code() -> None:
    cells = fold([record("orders", status=429, refusal=LIMITED)]).cells

    assert list(cells) == [Key("orders", "", "GET", 429, "RATE_LIMIT")]


def test_methods_that_clients_make_up_are_one() -> None:
    cells = fold([record(method=f"M{number}") for number in range(100)]).cells

    assert list(cells) == [Key("", "", OTHER, 200, "")]


def test_callers() -> None:
    ann = Identity(method="jwt", consumer="ann")
    callers = fold(
        [
            record("a", identity=ann),
            record("a", identity=ann, status=502),
            record("a", identity=ann, status=429, refusal=LIMITED),
            record("a", identity=ann, status=429),  # the service's own
            record("a"),
        ]
    ).callers

    assert callers == {Caller("a", "ann"): Tally(count=4, errors=1, refused=1)}


def test_attempts() -> None:
    failed = [("t1", Outcome.RESET)]
    attempts = fold(
        [
            record(service="s", target="t2", attempts=2, failures=failed),
            record(service="s", attempts=1, failures=failed, outcome=Outcome.RESET, status=502),
            record(service="s", target="t2", attempts=1),
            record(),
        ]
    ).attempts

    assert attempts == {("s", "t1", "reset"): 2, ("s", "t2", "ok"): 2}


def test_caches_and_what_would_have_been_refused() -> None:
    done = fold([record("a", cache="HIT"), record("a", cache="HIT", would=(("quota:default", LIMITED),))])

    assert done.caches == {("a", "HIT"): 2}
    assert done.would == {("a", "quota:default", "RATE_LIMIT"): 1}


@given(st.lists(st.floats(min_value=0, max_value=10)), st.integers(min_value=0))
def test_folds_of_parts_add_up_to_the_fold_of_all(durations: list[float], cut: int) -> None:
    records = [record(ended=100 + seconds) for seconds in durations]
    at = cut % (len(records) + 1)
    added = Cell()
    for part in (records[:at], records[at:]):
        for cell in fold(part).cells.values():
            added.add(cell)

    whole = next(iter(fold(records).cells.values()), Cell())
    assert (added.count, added.buckets) == (whole.count, whole.buckets)
    assert abs(added.seconds - whole.seconds) < 1e-6
