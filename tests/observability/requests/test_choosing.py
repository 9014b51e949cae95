"""Which requests are kept."""

from random import Random

from observability.requests.choosing import Choice, went_wrong
from resilience.outcomes import Outcome
from tests.support.records import record


def choice(faults: float = 2, samples: float = 1) -> Choice:
    return Choice(faults_per_s=faults, samples_per_s=samples, sample=Random(1).sample)


def test_what_went_wrong_is_kept_up_to_a_rate() -> None:
    """Two seconds' worth at once, and then what comes back with time."""
    chosen = choice()
    bad = [record("r", status=500, request_id=b"%d" % number) for number in range(10)]

    assert len(chosen.of(bad, 100.0)) == 4
    assert chosen.of(bad, 100.0) == []
    assert len(chosen.of(bad, 100.5)) == 1
    assert chosen.faults_left_out == 6 + 10 + 9


def test_of_the_rest_a_sample_is_kept_in_order() -> None:
    """The gateway's own endpoints are nobody's sample."""
    fine = [record("r", request_id=b"%03d" % number) for number in range(100)]
    own = [record() for _ in range(100)]
    chosen = choice(samples=10)
    kept = chosen.of([*fine, *own], 100.0)

    assert len(kept) == 20
    assert [each.request_id for each in kept] == sorted(each.request_id for each in kept)
    assert {each.route.name for each in kept if each.route} == {"r"}
    assert chosen.others_left_out == 80


def test_a_rate_of_nothing_keeps_nothing() -> None:
    """Somebody may want faults alone."""
    assert choice(samples=0).of([record("r")], 100.0) == []


def test_what_counts_as_wrong() -> None:
    """Refusals, failures, clients that left, repetitions."""
    assert not went_wrong(record("r"))
    assert all(went_wrong(record("r", status=status)) for status in (0, 404, 499, 503))
    assert went_wrong(record("r", failures=[("http://a", Outcome.RESET)]))
