"""The secret that is kept in VAR_DIR."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from gateway_project.secretfile import FILE_NAME, load_or_create


def test_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    """The second reading gives what the first one made, and nothing else is left behind."""
    first = load_or_create(tmp_path)

    assert len(first) >= 50
    assert load_or_create(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """The file's mode is 0600."""
    load_or_create(tmp_path)

    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    """However the starts interleave, there is one secret."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        secrets = pool.map(load_or_create, [tmp_path] * 16)

    assert len(set(secrets)) == 1


def test_empty_file_is_not_a_secret(tmp_path: Path) -> None:
    """A truncated file must not become an empty key."""
    (tmp_path / FILE_NAME).write_text("\n")

    with pytest.raises(OSError, match="is empty"):
        load_or_create(tmp_path)


def test_unusable_folder_is_an_error(tmp_path: Path) -> None:
    """Where nothing can be written, nothing is made up."""
    with pytest.raises(OSError):
        load_or_create(tmp_path / "missing")
