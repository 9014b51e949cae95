"""Discovered targets, kept for a start without a database."""

from pathlib import Path

import pytest

from routing.leasefile import FILE_NAME, LeaseFile
from routing.leasing import LeasedTarget

TARGETS = {"orders": (LeasedTarget("id", "http://orders:1", 2, "/health", 30.0, None),)}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """As it was; a later save takes its place, and nobody else may read it."""
    file = LeaseFile(tmp_path)
    assert file.load() == {}
    file.save({"gone": ()})
    file.save(TARGETS)
    assert file.load() == TARGETS
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("harm", ["", "{}\n{}", "torn", "other", "edited", "shape", "\udcff"])
def test_what_cannot_be_trusted_is_nothing(harm: str, tmp_path: Path) -> None:
    """A torn, edited or foreign file costs nothing but what it held."""
    file = LeaseFile(tmp_path)
    file.save(TARGETS)
    text = file.path.read_text()
    changed = {
        "torn": text[:-10],
        "other": text.replace("torana-leases-1", "torana-leases-2"),
        "edited": text.replace("orders", "odders"),
        "shape": "[]\n[]",
    }
    file.path.write_text(changed.get(harm, harm), errors="surrogateescape")
    assert file.load() == {}
