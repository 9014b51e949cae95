"""Which requests are kept."""

from random import Random

from authproxy.exchange import Exchange
from observability.requests.choosing import Choice
from observability.traffic.record import Record
from resilience.outcomes import Outcome
from tests.support.records import ended, seen


def choice(faults: float = 2, samples: float = 1) -> Choice:
    return Choice(faults_per_s=faults, samples_per_s=samples, random=Random(1).random)


def kept(chosen: Choice, *exchanges: Exchange) -> list[Record]:
    for first in range(0, len(exchanges), 7):
        chosen.see(seen(*exchanges[first : first + 7]))
    return chosen.take()


def test_what_went_wrong_is_kept_up_to_a_rate() -> None:
    """Two seconds' worth at once, and then what comes back with time."""
    chosen = choice()

    def fail(at: float) -> int:
        return len(kept(chosen, *[ended("r", status=500, ended=at) for _ in range(10)]))

    assert [fail(100.0), fail(100.0), fail(100.5)] == [4, 0, 1]
    assert chosen.faults_left_out == 6 + 10 + 9


def test_of_the_rest_a_sample_is_kept_in_order() -> None:
    """The gateway's own endpoints are nobody's sample."""
    fine = [ended("r", ended=100 + number / 1000) for number in range(100)]
    own = [ended() for _ in range(100)]
    chosen = choice(samples=10)
    found = kept(chosen, *own[:50], *fine, *own[50:])

    assert len(found) == 20
    assert [each.ended for each in found] == sorted({each.ended for each in found})
    assert {each.route.name for each in found if each.route} == {"r"}
    assert chosen.others_left_out == 80


def test_each_has_the_same_chance() -> None:
    """However long it goes on, and whether it comes first or last: a burst of one kind hides nothing."""
    chosen = Choice(faults_per_s=0, samples_per_s=5, random=Random(2).random)
    hits = [0] * 40
    fine = seen(*[ended("r", sent=number) for number in range(40)])
    for turn in range(1000):
        for each in fine.exchanges:
            each.ended = 1000.0 + 10 * turn
        chosen.see(fine)
        for each in chosen.take():
            hits[each.sent] += 1

    assert sum(hits) == 10_000
    assert all(180 < hit < 320 for hit in hits)


def test_what_is_not_drawn_is_only_counted() -> None:
    """Of a hundred thousand, chance is asked some hundred times, and the last are as likely as the first."""
    asked = 0
    random = Random(3)

    def counting() -> float:
        nonlocal asked
        asked += 1
        return random.random()

    chosen = Choice(faults_per_s=0, samples_per_s=5, random=counting)
    turns = [seen(*[ended("r", sent=10 * turn + each) for each in range(10)]) for turn in range(100)]
    for _ in range(100):
        for turn in turns:
            chosen.see(turn)
    found = chosen.take()

    assert len(found) == 10
    assert chosen.others_left_out == 100_000 - 10
    assert 100 < asked < 600


def test_a_rate_of_nothing_keeps_nothing() -> None:
    """Somebody may want faults alone."""
    assert kept(choice(samples=0), ended("r")) == []


def test_what_counts_as_wrong() -> None:
    """Refusals, failures, clients that left, repetitions; not what went well."""

    def is_fault(each: Exchange) -> bool:
        return bool(kept(choice(samples=0), each))

    assert not is_fault(ended("r"))
    assert all(is_fault(ended("r", status=status)) for status in (0, 404, 499, 503))
    assert is_fault(ended("r", failures=[("http://a", Outcome.RESET)]))
