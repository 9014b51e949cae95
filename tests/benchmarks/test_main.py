"""What the command line asks for."""

import pytest

from benchmarks.__main__ import PARTS, parse
from benchmarks.peers import catalogue


def test_plain_run_measures_everything_and_writes() -> None:
    """All parts, all peers, all cells, and the results are kept."""
    options = parse([], quick=False)
    assert (options.parts, options.peers, options.write) == (PARTS, catalogue.ALL, True)


def test_quick_run_is_torana_beside_caddy_and_writes_nothing() -> None:
    """The short run never replaces the long run's results."""
    options = parse([], quick=True)
    assert ([peer.name for peer in options.peers], options.write) == (["Torana", "Caddy"], False)


def test_quick_run_of_a_part_is_of_that_part() -> None:
    """What is named is measured, only shorter, and not kept either."""
    options = parse(["traffic"], quick=True)
    assert (options.parts, options.quick, options.write) == (("traffic",), True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--peers", "torana"],
        ["--no-write"],
        ["--connections", "32"],
        ["--rounds", "1"],
        ["--seconds", "1"],
        ["--payloads", "200 B"],
        ["--extra", "mine=serve {port} {upstream}"],
    ],
)
def test_narrowed_run_writes_nothing(arguments: list[str]) -> None:
    """Only the whole set of peers and cells becomes the results."""
    assert not parse(arguments, quick=False).write


@pytest.mark.parametrize("arguments", [["nonsense"], ["--payloads", "3 MB"]])
def test_unknown_part_or_payload_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists what there is."""
    with pytest.raises(SystemExit):
        parse(arguments, quick=False)
    assert "there are" in capsys.readouterr().err
