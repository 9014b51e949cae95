"""What limits should admit, what keys leave behind, and what checks cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import admission
from benchmarks.admission import Admission, Flood, ProbeCost


def found(admitted: int, *, asked: int = 120_000) -> Admission:
    return Admission(limit=100, keys=4, lasted_s=60.0, asked=asked, admitted=admitted)


def test_exact_number_is_the_bursts_and_what_flows_in() -> None:
    """Four full buckets of a hundred, and a hundred a second for each."""
    assert (found(24_400).exact, found(24_400).load, found(24_400).deviation) == (24_400, 5.0, 0.0)


@pytest.mark.parametrize(
    ("admitted", "word"), [(24_644, "ok"), (24_645, "MISSED"), (24_156, "ok"), (24_155, "MISSED")]
)
def test_one_percent_either_way_is_the_goal(admitted: int, word: str) -> None:
    """Too few admitted is as wrong as too many."""
    assert admission.admission_verdict(found(admitted), load=5.0).startswith(f"- {word}: {admitted:,} of ")


def test_little_load_proves_nothing() -> None:
    """Less than half of the load that was wanted is no success, whatever passed."""
    assert "MISSED" in admission.admission_verdict(found(24_400, asked=50_000), load=5.0)


@given(st.integers(1, 1000), st.integers(1, 50), st.floats(1.0, 100.0), st.integers(0, 10**6))
def test_deviation_and_exact_number_give_what_was_admitted(
    limit: int, keys: int, lasted_s: float, admitted: int
) -> None:
    """The two figures that are shown belong together."""
    case = Admission(limit, keys, lasted_s, asked=1, admitted=admitted)
    assert case.exact * (1 + case.deviation) == pytest.approx(admitted, abs=1e-6)


@pytest.mark.parametrize(("last", "word"), [(115.9, "ok"), (116.0, "MISSED"), (90.0, "ok")])
def test_memory_is_flat_once_it_is_full(last: float, word: str) -> None:
    """What the first keys take is no growth; what later ones add is."""
    flood = Flood("in process", (0, 200_000, 1_000_000), (50.0, 100.0, last))
    assert admission.flood_verdict(flood).startswith(
        f"- {word}: in process: {last - 100:+.1f} MB from 200,000 to"
    )
    assert admission.column_titles([flood]) == ("MB resident", "before", "200,000 keys", "1,000,000 keys")


def test_cost_of_checks_is_the_difference_for_each() -> None:
    """What the gateway does anyway is not the checks'."""
    cost = ProbeCost(targets=1000, checks=2000, checking_us=1_100_000, idle_us=100_000)
    assert (cost.check_us, round(1 / cost.share(30.0), 6)) == (500.0, 60.0)


@pytest.mark.parametrize(
    ("checks", "start"), [(2000, "- ok: checks of 1,000"), (200, "- MISSED: checks of 1,000")]
)
def test_checks_have_a_goal(checks: int, start: str) -> None:
    """Under the share of a core that is given."""
    cost = ProbeCost(targets=1000, checks=checks, checking_us=1_000_000, idle_us=0)
    assert admission.probe_verdict(cost, interval_s=30.0, goal=0.05).startswith(start)


def test_no_checks_are_no_success() -> None:
    """Nothing is claimed about checks that nobody made."""
    cost = ProbeCost(targets=1000, checks=0, checking_us=5.0, idle_us=0)
    verdict = admission.probe_verdict(cost, interval_s=30.0, goal=0.05)
    assert verdict == "- MISSED: none of 1,000 targets was checked"
