"""What the subcommands share."""

import io
from pathlib import Path

import pytest

from routing.commands import console as shared
from routing.commands.console import CommandRefused, Console, read_document
from routing.problems import Problem


def test_data_and_messages_are_kept_apart() -> None:
    """Data on one stream, everything else on the other."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.say("hello")
    console.say("")
    console.data({"a": 1})
    console.problems((Problem("gateway.E001", "a[0]", "is odd"),), kind="warning: ")
    assert out.getvalue() == 'hello\n{\n  "a": 1\n}\n'
    assert err.getvalue() == "warning: a[0]: is odd\n"


def test_a_byte_order_mark_is_not_part_of_the_document(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfversion: 1\n")
    assert read_document(str(file)) == {"version": 1}


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is parsed."""
    monkeypatch.setattr(shared, "LARGEST_DOCUMENT", 10)
    file = tmp_path / "a.yaml"
    file.write_text("version: 1\n")
    with pytest.raises(CommandRefused, match="larger than"):
        read_document(str(file))
