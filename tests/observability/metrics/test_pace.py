"""Work that rests."""

from observability.metrics.pace import REST_S, WORK_S, Pace


class Thread:
    """Its processor's time, which only work takes."""

    def __init__(self) -> None:
        self.spent = 0.0
        self.rests: list[float] = []
        """When it rested, in time of work."""
        self.pace = Pace(lambda: self.spent, self._sleep)

    def _sleep(self, seconds: float) -> None:
        assert seconds == REST_S
        self.rests.append(self.spent)

    def work(self, seconds: float, steps: int) -> None:
        for _ in range(steps):
            self.pace()
            self.spent += seconds
        self.pace()


def test_short_steps_go_on_until_it_has_worked_long_enough() -> None:
    """After that it rests, and begins to count anew."""
    thread = Thread()
    thread.work(WORK_S / 4, 8)

    assert thread.rests == [WORK_S, 2 * WORK_S]


def test_after_each_long_step_it_rests() -> None:
    thread = Thread()
    thread.work(3 * WORK_S, 4)

    assert len(thread.rests) == 4


def test_what_the_thread_did_before_does_not_count() -> None:
    thread = Thread()
    thread.spent = 100.0
    thread.work(WORK_S / 4, 2)

    assert thread.rests == []


def test_in_another_thread_it_counts_anew() -> None:
    """Whose time may be less than that of the thread before."""
    thread = Thread()
    thread.spent = 100.0
    thread.pace()
    thread.spent = 0.0
    thread.work(WORK_S / 4, 8)

    assert len(thread.rests) == 2
