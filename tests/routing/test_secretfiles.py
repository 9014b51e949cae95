"""Secrets in files."""

import os
from pathlib import Path

import pytest

from routing.secretfiles import LONGEST, read_secret


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret\n", "s3cret"),
        (b" s3cret \r\n", " s3cret "),
        (b"", None),
        (b"\n", None),
        (b"\xff", None),
        (b"x" * (LONGEST + 1), None),
    ],
)
def test_contents(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, secret: str | None
) -> None:
    """Only the line end that editors leave is cut off; what is no secret is said, without its content."""
    path = tmp_path / "secret"
    path.write_bytes(content)

    assert read_secret(str(path)) == secret
    assert [str(path) in message for message in caplog.messages] == ([] if secret else [True])


@pytest.mark.parametrize("name", ["missing", ".", "nul\0", "pipe"])
def test_what_is_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Never an exception, and no waiting: the provider goes without, and its tokens are refused."""
    os.mkfifo(tmp_path / "pipe")
    assert read_secret(str(tmp_path / name)) is None
    assert len(caplog.messages) == 1
