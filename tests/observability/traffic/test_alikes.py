"""Finished requests, added up."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from authproxy.exchange import Exchange
from authproxy.headers import RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from observability.traffic.alikes import FAULT, Alikes
from observability.traffic.folding import OTHER, Caller, Cell, Fold, Key, Tally
from observability.traffic.histogram import bucket_of
from resilience.outcomes import Outcome
from tests.support.records import ended

LIMITED = Rejection(Code.RATE_LIMIT, "Too many.")


def fold(exchanges: Sequence[Exchange]) -> Fold:
    alikes = Alikes()
    alikes.sort(exchanges)
    return alikes.take()


def test_alike_requests_are_one_cell() -> None:
    head = RequestHead()
    head.content_length = b"7"
    one = ended("orders", service="shop", sent=10, head=head, forwarded=100.0, answered=100.25, ended=100.5)

    cells = fold([one, one, ended("orders", service="shop", status=404)]).cells

    key = Key("orders", "shop", "GET", 200, "")
    assert cells[key] == Cell(
        count=2, seconds=1.0, upstream_s=0.5, received=14, sent=20, buckets={bucket_of(0.5): 2}
    )
    assert cells[key._replace(status=404)].count == 1


def test_what_somebody_may_want_to_know_the_why_of() -> None:
    """Requests of which more is to be said are alike among themselves alone."""
    plain, repeated = ended("a", attempts=2), ended("a", attempts=2, failures=[("http://b", Outcome.RESET)])
    would = ended("a", attempts=2, would=(("quota", LIMITED),))
    found = Alikes().sort([plain, repeated, would, ended("a", status=404), ended("a", status=0)])

    assert found[1] is found[2] is not found[0]
    assert [(alike.is_odd, alike.kind == FAULT) for alike in found] == [
        (False, False), (True, True), (True, True), (False, True), (False, True),
    ]  # fmt: skip


def test_what_the_gateway_answered_itself_has_a_code() -> None:
    cells = fold([ended("orders", status=429, refusal=LIMITED)]).cells

    assert list(cells) == [Key("orders", "", "GET", 429, "RATE_LIMIT")]


def test_methods_that_clients_make_up_are_one() -> None:
    cells = fold([ended(method=f"M{number}") for number in range(100)]).cells

    assert list(cells) == [Key("", "", OTHER, 200, "")]


def test_callers() -> None:
    ann = Identity(method="jwt", consumer="ann")
    callers = fold(
        [
            ended("a", identity=ann),
            ended("a", identity=ann, status=502),
            ended("a", identity=ann, status=429, refusal=LIMITED),
            ended("a", identity=ann, status=429),  # the service's own
            ended("a"),
        ]
    ).callers

    assert callers == {Caller("a", "ann"): Tally(count=4, errors=1, refused=1)}


def test_attempts() -> None:
    failed = [("t1", Outcome.RESET)]
    attempts = fold(
        [
            ended(service="s", target="t2", attempts=2, failures=failed),
            ended(service="s", attempts=1, failures=failed, outcome=Outcome.RESET, status=502),
            ended(service="s", target="t2", attempts=1),
            ended(),
        ]
    ).attempts

    assert attempts == {("s", "t1", "reset"): 2, ("s", "t2", "ok"): 2}


def test_caches_and_what_would_have_been_refused() -> None:
    done = fold([ended("a", cache="HIT"), ended("a", cache="HIT", would=(("quota:default", LIMITED),))])

    assert done.caches == {("a", "HIT"): 2}
    assert done.would == {("a", "quota:default", "RATE_LIMIT"): 1}


def test_retries_and_what_opening_connections_took() -> None:
    done = fold(
        [
            ended(service="s", target="t", attempts=3, failures=[("t", Outcome.RESET)] * 2, connecting_s=0.5),
            ended(service="s", target="t", attempts=1, connecting_s=0.25),
        ]
    )

    assert done.retries == {"s": 2}
    assert (done.connects["s"].seconds, sum(done.connects["s"].buckets.values())) == (0.75, 2)


def test_those_that_went_the_same_way_are_alike() -> None:
    """From one time to the next, too; what a route is told to log may be another in the next revision."""
    alikes = Alikes()
    first, other, again = alikes.sort([ended("a"), ended("b"), ended("a")])
    alikes.take()
    (later, reloaded) = alikes.sort([ended("a"), ended("a", revision=2)])

    assert first is again is later
    assert len({first, other, reloaded}) == 3


def test_more_kinds_than_fit_are_counted_all_the_same() -> None:
    """Clients may make up methods."""
    alikes = Alikes(most=3)
    for number in range(10):
        alikes.sort([ended("a", method=f"M{number}")] * 2)

    assert len(alikes._found) <= 3
    assert {key: cell.count for key, cell in alikes.take().cells.items()} == {
        Key("a", "", OTHER, 200, ""): 20
    }
    assert alikes.take() == Fold()


@given(st.lists(st.floats(min_value=0, max_value=10)), st.integers(min_value=0))
def test_folds_of_parts_add_up_to_the_fold_of_all(durations: list[float], cut: int) -> None:
    exchanges = [ended(ended=100 + seconds) for seconds in durations]
    at = cut % (len(exchanges) + 1)
    added = Cell()
    for part in (exchanges[:at], exchanges[at:]):
        for cell in fold(part).cells.values():
            added.add(cell)

    whole = next(iter(fold(exchanges).cells.values()), Cell())
    assert (added.count, added.buckets) == (whole.count, whole.buckets)
    assert abs(added.seconds - whole.seconds) < 1e-6
