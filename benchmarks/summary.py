"""P: From samples of several rounds to one line per peer, and ratios between peers of one run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. cpu_us is per request that reached the upstream within the window; nan if none did."""

    cpu_us: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


@dataclass(frozen=True, slots=True)
class Line:
    """Medians over the rounds; errors are added up; cpu_low and cpu_high are the extremes."""

    cpu_us: float
    cpu_low: float
    cpu_high: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


def line(samples: Sequence[Sample]) -> Line:
    cpu = [sample.cpu_us for sample in samples if not math.isnan(sample.cpu_us)] or [math.nan]
    return Line(
        cpu_us=median(cpu),
        cpu_low=min(cpu),
        cpu_high=max(cpu),
        requests_per_s=median(sample.requests_per_s for sample in samples),
        p50_ms=median(sample.p50_ms for sample in samples),
        p99_ms=median(sample.p99_ms for sample in samples),
        errors=sum(sample.errors for sample in samples),
    )


def ratio(samples: Mapping[str, Sequence[Sample]], name: str, *, to: str) -> float:
    """Median over the rounds of CPU per request beside the other peer's in the same round; nan without both."""
    rounds = zip(samples.get(name, ()), samples.get(to, ()), strict=False)
    ratios = [own.cpu_us / other.cpu_us for own, other in rounds if own.cpu_us > 0 and other.cpu_us > 0]
    return median(ratios) if ratios else math.nan


def ratio_of(samples: Sequence[Sample], base: Sequence[Sample]) -> float:
    """Median over the rounds of CPU per request beside that of `base` in the same round; nan without both."""
    return ratio({"own": samples, "base": base}, "own", to="base")


def difference(samples: Sequence[Sample], base: Sequence[Sample]) -> float:
    """Median over the rounds of the difference in CPU microseconds per request."""
    return median(own.cpu_us - other.cpu_us for own, other in zip(samples, base, strict=True))
