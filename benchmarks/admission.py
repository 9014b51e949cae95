"""P: How many requests limits should let pass, beside how many they did; and what a flood of callers leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass

ADMISSION_GOAL = 0.01
FLAT_MB = 16.0
"""Room for what the allocator does not give back; an object kept for each key would take many times as much."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What came of a load on so many token buckets, each with a burst of its limit, all full at the beginning."""

    limit: int
    """Requests a second, of each bucket."""
    keys: int
    lasted_s: float
    asked: int
    admitted: int

    @property
    def exact(self) -> float:
        """What was in the buckets, and what flowed into them from the first request to the last."""
        return self.keys * self.limit * (1 + self.lasted_s)

    @property
    def load(self) -> float:
        """How many times the limit was asked for."""
        return self.asked / (self.keys * self.limit * self.lasted_s)

    @property
    def deviation(self) -> float:
        """As a share of the exact number; negative when too few were admitted."""
        return self.admitted / self.exact - 1


def admission_verdict(found: Admission, *, load: float) -> str:
    """One line. A load that leaves the buckets full proves nothing."""
    is_kept = abs(found.admitted - found.exact) <= ADMISSION_GOAL * found.exact and found.load >= load / 2
    return (
        f"- {'ok' if is_kept else 'MISSED'}: {found.admitted:,} of {found.asked:,} requests admitted in "
        f"{found.lasted_s:.1f} s at {found.load:.1f} times the limit, exact is {found.exact:,.0f}: "
        f"{found.deviation:+.2%} (goal: within {ADMISSION_GOAL:.0%})"
    )


@dataclass(frozen=True, slots=True)
class Flood:
    """Resident memory of one process tree, in MB, after so many distinct keys; the first is before any."""

    title: str
    keys: tuple[int, ...]
    resident_mb: tuple[float, ...]

    @property
    def still_grows_mb(self) -> float:
        """Once as many buckets are kept as there may be: from the second figure on."""
        return self.resident_mb[-1] - self.resident_mb[1]


def flood_verdict(found: Flood) -> str:
    word = "ok" if found.still_grows_mb < FLAT_MB else "MISSED"
    return (
        f"- {word}: {found.title}: {found.still_grows_mb:+.1f} MB from {found.keys[1]:,} to {found.keys[-1]:,} "
        f"distinct keys (goal: under +{FLAT_MB:g} MB)"
    )


@dataclass(frozen=True, slots=True)
class ProbeCost:
    """CPU time of a gateway that checks targets, and of one that does not, over equally long windows."""

    targets: int
    checks: int
    checking_us: float
    idle_us: float

    @property
    def check_us(self) -> float:
        return (self.checking_us - self.idle_us) / self.checks

    def share(self, interval_s: float) -> float:
        """Of one core, when each target is checked once in the interval."""
        return self.targets * self.check_us / (interval_s * 1e6)


def probe_verdict(found: ProbeCost, *, interval_s: float, goal: float) -> str:
    if not found.checks:
        return f"- MISSED: none of {found.targets:,} targets was checked"
    share = found.share(interval_s)
    return (
        f"- {'ok' if share < goal else 'MISSED'}: checks of {found.targets:,} targets every {interval_s:g} s take "
        f"{share:.1%} of a core, {found.check_us:.0f} µs each (goal: under {goal:.0%})"
    )


def column_titles(floods: Sequence[Flood]) -> tuple[str, ...]:
    """Of a table of floods that were asked alike."""
    return ("MB resident", *(f"{keys:,} keys" if keys else "before" for keys in floods[0].keys))
