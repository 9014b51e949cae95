"""What workers have counted, added up, and as lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.metrics import catalogue as names
from observability.metrics.samples import EMPTY, PLACES, Distribution, Samples, from_lines, to_lines

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


def test_of_who_is_gone_only_counts_stay() -> None:
    gone = samples(RETRIES=3, BREAKER=2)
    total = Samples()
    total.add(gone, only_counts=True)

    assert total.get(names.RETRIES, "x") == 3
    assert total.get(names.BREAKER, "x") is None


def test_distributions_add_up() -> None:
    one = Distribution((1, *EMPTY.counts[1:]), 0.5)

    assert one.plus(one) == Distribution((2, *EMPTY.counts[1:]), 1.0)


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
        before.put(names.DURATION, Distribution(places, 1.5), *labels)

    assert from_lines(to_lines(before)).values == before.values


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"1", b'["gateway_requests_total",[[["a"],"x"]]]',
     b'["gateway_request_duration_seconds",[[["a","b"],[[1,2],3]]]]'],
)  # fmt: skip
def test_what_nobody_wrote_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        from_lines([line])


def test_metrics_of_another_version_are_left_out() -> None:
    assert from_lines([b'["gateway_of_old_total",[[[],1]]]\n']).values == {}
