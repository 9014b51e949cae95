"""Choosing peers by name."""

from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.peers import catalogue
from benchmarks.peers.base import Site


def test_beginnings_of_names_are_enough() -> None:
    """Case does not matter, order is kept."""
    assert [peer.name for peer in catalogue.chosen("nginx, FAST")] == ["nginx", "FastAPI + httpx"]


def test_unknown_name_lists_the_known_ones() -> None:
    """The message helps."""
    with pytest.raises(BenchmarkError, match=r"'squid'.*Traefik"):
        catalogue.chosen("squid")


def test_extra_peer_gets_its_ports() -> None:
    """Both places are filled in, words are split as a shell would."""
    peer = catalogue.extra("mine=serve --port {port} 'to {upstream}'")
    launch = peer.prepare(Site(Path(), port=1, upstream_port=2))
    assert (peer.name, launch.command) == ("mine", ("serve", "--port", "1", "to 2"))


@pytest.mark.parametrize("text", ["mine", "mine=serve {port}", "=serve {port} {upstream}"])
def test_extra_peer_without_name_or_ports_is_refused(text: str) -> None:
    """The message says what one looks like."""
    with pytest.raises(BenchmarkError, match="NAME=COMMAND"):
        catalogue.extra(text)
