"""Standings of workers."""

import pytest

from routing.admin.nodestates import SILENT_AFTER_S, Standing, standing


@pytest.mark.parametrize(
    ("revision", "newest", "error", "silence_s", "expected"),
    [
        (7, 7, "", 1.0, Standing.CURRENT),
        (None, None, "", 1.0, Standing.CURRENT),
        (6, 7, "", 1.0, Standing.BEHIND),
        (None, 7, "", 1.0, Standing.BEHIND),
        (6, 7, "does not compile", 1.0, Standing.FAILING),
        (7, 7, "", SILENT_AFTER_S + 1, Standing.SILENT),
        (6, 7, "does not compile", SILENT_AFTER_S + 1, Standing.SILENT),
    ],
)
def test_standing(
    revision: int | None, newest: int | None, error: str, silence_s: float, expected: Standing
) -> None:
    """A silent worker's last words count for nothing; an error counts more than being behind."""
    assert standing(revision=revision, newest=newest, error=error, silence_s=silence_s) is expected
