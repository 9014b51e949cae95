"""What the subcommands share."""

import io
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from routing.commands import console as shared
from routing.commands.console import CommandRefused, Console, read_document, whole
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


@pytest.mark.parametrize("text", ["-1", "11", "1.0", "", "x", "٣", " 1", "1_0", "9" * 5000])
def test_what_is_no_number_of_a_range_is_refused(text: str) -> None:
    """In words, with what is wanted."""
    with pytest.raises(ArgumentTypeError, match="want a number from 0 to 10, not"):
        whole(0, 10)(text)


def test_numbers_of_a_range() -> None:
    assert [whole(0, 10)(text) for text in ("0", "7", "10")] == [0, 7, 10]


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is parsed."""
    monkeypatch.setattr(shared, "LARGEST_DOCUMENT", 10)
    file = tmp_path / "a.yaml"
    file.write_text("version: 1\n")
    with pytest.raises(CommandRefused, match="larger than"):
        read_document(str(file))
