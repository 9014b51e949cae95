"""Filling places, replacing, giving up: with workers that do as they are told."""

from typing import Any

from gateway_project.server.crew import Crew, Patience

PATIENCE = Patience(ready_timeout_s=60, leave_timeout_s=30, first_backoff_s=0.5, longest_backoff_s=10)


class Puppet:
    """Stands in for a Child."""

    def __init__(self, pid: int, now_s: float) -> None:
        self.pid = pid
        self.started_s = now_s
        self.ready_s: float | None = None
        self.killed_after_s: float | None = None
        self.status: int | None = None
        self.did: list[str] = []

    def exit_status(self) -> int | None:
        return self.status

    def stop(self, deadline_s: float) -> None:
        self.did.append("stop")
        self.killed_after_s = deadline_s

    def retire(self, deadline_s: float) -> None:
        self.did.append("retire")
        self.killed_after_s = deadline_s

    def kill(self) -> None:
        self.did.append("kill")

    def close(self) -> None:
        self.did.append("close")


class Stage:
    """A crew of puppets, and what it said."""

    def __init__(self, size: int = 2) -> None:
        self.puppets: list[Puppet] = []
        self.said: list[str] = []
        self.crew = Crew(start=self._start, size=size, patience=PATIENCE, say=self.said.append)

    def _start(self, now_s: float) -> Any:
        self.puppets.append(Puppet(len(self.puppets) + 1, now_s))
        return self.puppets[-1]

    def ready(self, *numbers: int, now_s: float = 0.0) -> None:
        for number in numbers:
            self.puppets[number - 1].ready_s = now_s
            self.crew.note_ready(self.puppets[number - 1], now_s)  # type: ignore[arg-type]

    def ends(self, number: int, status: int = 1, *, now_s: float) -> None:
        self.puppets[number - 1].status = status
        self.crew.note_exits(now_s)

    @property
    def running(self) -> list[int]:
        return sorted(child.pid for child in self.crew.children())


def started(size: int = 2) -> Stage:
    stage = Stage(size)
    stage.crew.tend(0.0)
    stage.ready(*range(1, size + 1))
    return stage


def test_complete_when_all_are_ready() -> None:
    """Every place is filled at once, and the crew is complete with the last."""
    stage = Stage()
    stage.crew.tend(0.0)
    stage.ready(1)
    before = stage.crew.complete
    watched = [child.pid for child in stage.crew.starting()]
    stage.ready(2)

    assert (before, stage.crew.complete) == (False, True)
    assert watched == [2]
    assert stage.crew.tend(1.0) >= 1000


def test_first_failure_is_final() -> None:
    """Nothing is started again, and it says so."""
    stage = Stage()
    stage.crew.tend(0.0)
    stage.ready(1)
    stage.ends(2, 3, now_s=1.0)
    stage.crew.tend(1.0)

    assert stage.crew.failed
    assert stage.said == ["worker 2 exited with status 3 before it was ready; giving up"]
    assert len(stage.puppets) == 2


def test_first_crash_is_repaired_at_once() -> None:
    """The place is filled by the next look."""
    stage = started()
    stage.ends(1, -9, now_s=5.0)
    stage.crew.tend(5.0)

    assert stage.running == [2, 3]
    assert stage.puppets[0].did == ["close"]


def test_crashes_in_a_row_are_repaired_slower() -> None:
    """Half a second, then twice that, up to the longest; `tend` tells when."""
    stage = started(1)
    waits, now_s = [], 1.0
    for number in range(1, 9):
        stage.ends(number, now_s=now_s)
        due_s = stage.crew.tend(now_s)
        if len(stage.puppets) == number:
            waits.append(due_s - now_s)
            now_s = due_s
            stage.crew.tend(now_s)

    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_worker_that_lived_is_no_failure_in_a_row() -> None:
    """After ten good seconds the count begins anew."""
    stage = started(1)
    stage.ends(1, now_s=5.0)
    stage.crew.tend(5.0)
    stage.ready(2, now_s=6.0)
    stage.ends(2, now_s=20.0)
    stage.crew.tend(20.0)

    assert stage.running == [3]


def test_reload_goes_one_by_one() -> None:
    """A successor is ready before the old one leaves, and the next only starts then."""
    stage = started()
    stage.crew.reload()
    stage.crew.tend(1.0)
    first = stage.running
    stage.crew.tend(1.5)
    stage.ready(3, now_s=2.0)
    stage.crew.tend(2.0)
    second = stage.running
    stage.ready(4, now_s=3.0)
    stage.ends(1, 0, now_s=3.0)
    stage.ends(2, 0, now_s=3.0)
    stage.crew.tend(3.0)

    assert first == [1, 2, 3]
    assert second == [1, 2, 3, 4]
    assert stage.puppets[0].did == ["retire", "close"]
    assert stage.running == [3, 4]
    assert stage.said == []


def test_reload_during_a_reload_comes_after_it() -> None:
    """However often it was asked for, once."""
    stage = started(1)
    for _ in range(3):
        stage.crew.reload()
        stage.crew.tend(1.0)
    stage.ready(2, now_s=2.0)
    stage.crew.tend(2.0)
    stage.ready(3, now_s=3.0)
    stage.crew.tend(3.0)

    assert len(stage.puppets) == 3


def test_reload_that_fails_is_given_up() -> None:
    """The old workers stay."""
    stage = started()
    stage.crew.reload()
    stage.crew.tend(1.0)
    stage.ends(3, 3, now_s=2.0)
    stage.crew.tend(2.0)

    assert stage.running == [1, 2]
    assert stage.said == ["reload given up: the new worker 3 exited with status 3 before it was ready"]


def test_crash_during_reload_is_filled_by_the_successor() -> None:
    """No third worker for the same place."""
    stage = started(1)
    stage.crew.reload()
    stage.crew.tend(1.0)
    stage.ends(1, -9, now_s=1.5)
    stage.crew.tend(1.5)
    stage.ready(2, now_s=2.0)
    stage.crew.tend(2.0)

    assert stage.running == [2]


def test_worker_that_is_never_ready_is_killed() -> None:
    """At the ready timeout, which `tend` announces."""
    stage = Stage(1)
    due_s = stage.crew.tend(0.0)
    stage.crew.tend(due_s)

    assert due_s == 60
    assert stage.puppets[0].did == ["kill"]
    assert stage.said == ["worker 1 was not ready in 60 s; killing it"]


def test_worker_that_does_not_leave_is_killed() -> None:
    """After its own drain timeout and a margin."""
    stage = started(1)
    stage.crew.stop(1.0)
    due_s = stage.crew.tend(1.0)
    stage.crew.tend(due_s)

    assert due_s == 36
    assert stage.puppets[0].did == ["stop", "kill"]


def test_stop_replaces_nobody() -> None:
    """All are sent home, those that were leaving already not again."""
    stage = started()
    stage.crew.reload()
    stage.crew.tend(1.0)
    stage.ready(3, now_s=2.0)
    stage.crew.stop(2.0)
    for number in (1, 2, 3):
        stage.ends(number, 0, now_s=3.0)
    stage.crew.tend(3.0)

    assert stage.puppets[0].did == ["retire", "close"]
    assert stage.puppets[1].did == ["stop", "close"]
    assert stage.running == []
    assert stage.said == []


def test_stop_during_a_reload_is_no_failure() -> None:
    """The new worker ends like the others, without a word."""
    stage = started(1)
    stage.crew.reload()
    stage.crew.tend(1.0)
    stage.crew.stop(2.0)
    for number in (1, 2):
        stage.ends(number, -15, now_s=3.0)

    assert stage.running == []
    assert stage.said == []


def test_kill_is_for_all() -> None:
    """Without asking."""
    stage = started()
    stage.crew.kill()

    assert [puppet.did for puppet in stage.puppets] == [["kill"], ["kill"]]
    assert stage.crew.stopping
