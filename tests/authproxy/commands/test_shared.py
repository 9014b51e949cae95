"""What the commands about access share."""

import argparse
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from authproxy.commands.shared import moment


def test_moments_are_durations_days_and_times() -> None:
    """A day counts to its end; a time without a zone is UTC."""
    assert abs(moment("2h") - timezone.now() - timedelta(hours=2)) < timedelta(seconds=5)
    assert moment("2030-12-31") == datetime(2031, 1, 1, tzinfo=UTC)
    assert moment("2030-12-31T10:00:00") == moment("2030-12-31 12:00:00+02:00")


@pytest.mark.parametrize("text", ["", "soon", "30", "0d", "-1d", "400d", "2030-13-01", "2030-02-30T00:00:00"])
def test_nonsense_is_refused(text: str) -> None:
    """With an example of what is wanted."""
    with pytest.raises(argparse.ArgumentTypeError, match="such as 30d"):
        moment(text)
