"""Later and later, not all at the same time, and not for ever."""

from itertools import count

import pytest

from observability.alerts.retrying import PAUSES_S, Result, pause_s

FAILED = Result(False, "status 500", 500)


def test_pauses_grow_and_end() -> None:
    """A first attempt and eight more."""
    pauses = []
    for attempts in count(1):
        pause = pause_s(attempts, FAILED, 0.5)
        if pause is None:
            break
        pauses.append(pause)
    assert tuple(pauses) == PAUSES_S


def test_jitter_and_wishes() -> None:
    """A fifth either way; who asks for more time gets it, within bounds; who is gone is left alone."""
    assert pause_s(1, FAILED, 0.0) == pytest.approx(4.0)
    assert pause_s(1, FAILED, 1.0) == pytest.approx(6.0)
    assert pause_s(1, FAILED._replace(retry_after_s=60.0), 0.5) == 60.0
    assert pause_s(1, FAILED._replace(retry_after_s=1e9), 0.5) == 14400.0
    assert pause_s(1, Result(False, "gone", 410), 0.5) is None
