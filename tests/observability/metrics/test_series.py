"""Values that only ever become more, read while they do."""

import threading

import pytest

from observability.metrics import catalogue as names
from observability.metrics.samples import PLACES, ROWS, Samples, distribution
from observability.metrics.series import Counts, Durations, place_of


@pytest.mark.parametrize(
    ("seconds", "place"),
    [(0.0, 0), (0.0005, 0), (0.00051, 1), (0.001, 1), (1.024, 11), (32.768, 16), (99, 17)],
)
def test_places(seconds: float, place: int) -> None:
    assert place_of(seconds) == place


def samples(of: Counts | Durations) -> Samples:
    found = Samples()
    of.samples(found)
    return found


def test_counts_add_up_in_steps() -> None:
    """However many there are."""
    counts = Counts(names.RETRIES, 1000)
    for _ in range(2):
        for number in range(3 * ROWS + 1):
            counts.add((f"s{number}",), number)
    found = samples(counts)

    assert len(found.values[names.RETRIES]) == 3 * ROWS + 1
    assert found.get(names.RETRIES, "s7") == 14


def test_durations_that_were_read_stay_as_they_were() -> None:
    durations = Durations(names.UPSTREAM, 10)
    durations.add(("s",), {0: 1}, 0.5)
    before = samples(durations)
    durations.add(("s",), {0: 1, 160: 2}, 0.5)

    assert before.get(names.UPSTREAM, "s") == distribution([1, *[0] * (PLACES - 1)], 0.5)
    assert samples(durations).get(names.UPSTREAM, "s") == distribution([2, *[0] * (PLACES - 2), 2], 1.0)


def test_what_finds_no_room_is_counted() -> None:
    counts, durations = Counts(names.RETRIES, 1), Durations(names.UPSTREAM, 1)
    for service in ("a", "b", "a"):
        counts.add((service,), 5)
        durations.add((service,), {0: 3}, 1.0)

    assert (counts.dropped, durations.dropped) == (5, 3)
    assert samples(counts).get(names.RETRIES, "a") == 10


def test_a_thread_reads_while_others_are_added() -> None:
    """What it sees has its labels, and is never less than it saw before."""
    counts = Counts(names.RETRIES, 100_000)
    is_over = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not is_over.is_set():
            found = samples(counts).values.get(names.RETRIES, {})
            assert all(found[f'service="s{number}"'] == 1 for number in range(len(found)))
            seen.append(len(found))

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(20_000):
        counts.add((f"s{number}",), 1)
    is_over.set()
    thread.join()

    assert seen == sorted(seen)
    assert len(samples(counts).values[names.RETRIES]) == 20_000
