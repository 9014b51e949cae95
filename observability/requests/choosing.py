"""P: Which of a worker's requests are kept: what went wrong up to a rate, and a sample of the rest up to another."""

from collections.abc import Callable, Sequence

from observability.traffic.record import Record

Sample = Callable[[list[int], int], list[int]]
"""So many of them, chosen at random, such as `Random.sample`."""


class Rate:
    """So many a second, and two seconds' worth at once."""

    __slots__ = ("_at", "_left", "_per_s")

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = 2 * per_s
        self._at: float | None = None

    def take(self, wanted: int, now: float) -> int:
        """How many of `wanted` may be kept now."""
        if self._at is not None:
            self._left = min(2 * self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        granted = min(wanted, int(self._left))
        self._left -= granted
        return granted


class Choice:
    """One worker's. Counts what it left out."""

    __slots__ = ("_faults", "_sample", "_samples", "faults_left_out", "others_left_out")

    def __init__(self, *, faults_per_s: float, samples_per_s: float, sample: Sample) -> None:
        self._faults = Rate(faults_per_s)
        self._samples = Rate(samples_per_s)
        self._sample = sample
        self.faults_left_out = 0
        """Requests that went wrong, of more than `faults_per_s`."""
        self.others_left_out = 0

    def of(self, records: Sequence[Record], now: float) -> list[Record]:
        """In their order. Which ones of too many is left to chance, so that a burst of one kind hides nothing."""
        faults, others = [], []
        for at, record in enumerate(records):
            if 0 < record.status < 400 and not record.failures and not record.would:
                if record.route is not None:
                    others.append(at)
            elif went_wrong(record):
                faults.append(at)
        kept_faults = self._some(faults, self._faults.take(len(faults), now))
        kept_others = self._some(others, self._samples.take(len(others), now))
        self.faults_left_out += len(faults) - len(kept_faults)
        self.others_left_out += len(others) - len(kept_others)
        return [records[at] for at in sorted(kept_faults + kept_others)]

    def _some(self, places: list[int], number: int) -> list[int]:
        return places if number >= len(places) else self._sample(places, number)


def went_wrong(record: Record) -> bool:
    """Refused, failed, left by its client, repeated; or a policy in mode log would have refused it."""
    return bool(record.status >= 400 or record.status == 0 or record.would or record.failures)
