"""What workers have counted, added up, and as lines."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.metrics import catalogue as names
from observability.metrics.catalogue import FAMILIES
from observability.metrics.samples import PLACES, ROWS, Samples, distribution, from_lines, labels_of, to_lines

TEXTS = st.text(max_size=8)
NUMBERS = st.integers(0, 2**40)


def samples(**values: float) -> Samples:
    found = Samples()
    for name, value in values.items():
        found.put(getattr(names, name), value, *("x" for _ in names.FAMILIES[getattr(names, name)].labels))
    return found


def test_counters_add_up_and_gauges_as_each_says() -> None:
    one, other = samples(RETRIES=3, BREAKER=2, REVISION=7), samples(RETRIES=4, BREAKER=0, REVISION=8)
    other.put(names.OLDEST_REVISION, 8)
    one.put(names.OLDEST_REVISION, 7)
    one.add(other)

    assert one.get(names.RETRIES, "x") == 7
    assert one.get(names.BREAKER, "x") == 2
    assert (one.get(names.REVISION), one.get(names.OLDEST_REVISION)) == (8, 7)


def read(lines: Iterable[bytes], *, only_counts: bool = False) -> Samples:
    found = Samples()
    for name, rows in from_lines(lines, only_counts=only_counts):
        found.add_rows(name, rows)
    return found


def test_of_who_is_gone_only_counts_stay() -> None:
    total = read(to_lines(samples(RETRIES=3, BREAKER=2)), only_counts=True)

    assert total.get(names.RETRIES, "x") == 3
    assert total.get(names.BREAKER, "x") is None


def test_distributions_add_up() -> None:
    """And what held those that were added is empty."""
    one, other = Samples(), Samples()
    for each in (one, other):
        each.put(names.LAG, distribution([1, *[0] * (PLACES - 1)], 0.5))
    one.add(other)

    assert one.get(names.LAG) == distribution([2, *[0] * (PLACES - 1)], 1.0)
    assert other.values == {}


def test_what_is_not_in_the_catalogue_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Samples().put("gateway_unheard_of", 1)


@given(
    st.dictionaries(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), NUMBERS, max_size=300),
    st.dictionaries(st.tuples(TEXTS, TEXTS), st.tuples(*[NUMBERS] * PLACES), max_size=3),
)
def test_lines_say_all_of_it(
    counts: dict[tuple[str, ...], float], timings: dict[tuple[str, ...], tuple[int, ...]]
) -> None:
    before = Samples()
    for labels, value in counts.items():
        before.put(names.REQUESTS, value, *labels)
    for labels, places in timings.items():
        before.put(names.DURATION, distribution(places, 1.5), *labels)

    assert read(to_lines(before)).values == before.values


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"1", b'["gateway_requests_total",{"a":"x"}]', b'["gateway_requests_total",{"a":[1]}]',
     b'["gateway_requests_total",[1]]', b'["gateway_request_duration_seconds",{"a":[1,2]}]',
     b'["gateway_request_duration_seconds",{"a":["",' + b",".join([b"1"] * PLACES) + b"]}]"],
)  # fmt: skip
def test_what_nobody_wrote_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        list(from_lines([line]))


def test_metrics_of_another_version_are_left_out() -> None:
    assert list(from_lines([b'["gateway_of_old_total",{"":1}]\n'])) == []


def test_labels_are_written_once_in_the_order_of_the_alphabet() -> None:
    """And are the ones that are asked for, in the catalogue's order."""
    found = Samples()
    found.put(names.REQUESTS, 1, "r", 's"\n\\', "GET", "200")

    assert found.values == {
        names.REQUESTS: {r'method="GET",route="r",service="s\"\n\\",status="200"': 1},
    }
    assert found.get(names.REQUESTS, "r", 's"\n\\', "GET", "200") == 1
    with pytest.raises(ValueError):
        found.put(names.REQUESTS, 1, "r")


@given(
    st.lists(st.tuples(TEXTS, NUMBERS), max_size=3 * ROWS), st.lists(st.tuples(TEXTS, NUMBERS), max_size=90)
)
def test_rows_keep_the_order_in_which_they_came(
    first: list[tuple[str, float]], second: list[tuple[str, float]]
) -> None:
    """As in a dictionary: what is added goes behind what was there."""
    one, other, wanted = Samples(), Samples(), dict[str, float]()
    for service, value in first:
        one.put(names.RETRIES, value, service)
    for service, value in second:
        other.put(names.RETRIES, value, service)
    for values in (dict(first), dict(second)):
        for service, value in values.items():
            wanted[service] = wanted.get(service, 0) + value
    one.add(other)

    found = [*one.values.get(names.RETRIES, {}).items()]
    assert found == [
        (labels_of(FAMILIES[names.RETRIES], [service]), value) for service, value in wanted.items()
    ]


class Steps:
    """How many rows came or went between two rests."""

    def __init__(self) -> None:
        self.largest = self.number = 0
        self.samples = Samples(self)
        self._before = 0

    def __call__(self) -> None:
        rows = sum(map(len, self.samples.values.values()))
        self.largest = max(self.largest, abs(rows - self._before))
        self.number += 1
        self._before = rows


MANY = 10 * ROWS + 1


def many() -> Steps:
    steps = Steps()
    for number in range(MANY):
        steps.samples.put(names.RETRIES, number, f"s{number}")
    return steps


def test_a_step_is_of_few_rows() -> None:
    """Between two rests, however many there are: while they come, are added, are freed, and are written."""
    into, of = Steps(), many()
    assert of.largest <= ROWS
    assert of.number >= MANY // ROWS
    lines = list(to_lines(of.samples))
    assert all(len(rows) <= ROWS for _, rows in from_lines(lines))
    assert of.number >= 2 * (MANY // ROWS)
    into.samples.add(of.samples)

    assert len(into.samples.values[names.RETRIES]) == MANY
    assert of.samples.values == {}
    assert of.number >= 3 * (MANY // ROWS)
    assert max(into.largest, of.largest) <= ROWS
