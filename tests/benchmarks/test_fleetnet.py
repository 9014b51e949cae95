"""Names of what is made for a fleet's network, and its removal."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import fleetnet
from benchmarks.processes import HOST


@given(st.integers(1, 2**32), st.integers(0, 99))
def test_names_fit_and_differ(pid: int, number: int) -> None:
    """The kernel takes at most 15 characters for an interface."""
    found = fleetnet.names(pid, number)
    assert (len(set(found)), max(map(len, found)) <= 15) == (3, True)


def test_without_root_all_is_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result names it, and why."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with fleetnet.network(2) as found:
        assert (found.kind, found.hub) == ("loopback (not root)", HOST)
        assert found.places == (fleetnet.Place(HOST),) * 2


def test_what_was_made_is_undone_when_a_later_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a network does not stay, and nodes run on loopback."""
    asked: list[tuple[str, ...]] = []

    def run(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        asked.append(tuple(arguments))
        fails = arguments[:2] == ("netns", "add")
        return subprocess.CompletedProcess(arguments, int(fails), "", "not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(fleetnet.shutil, "which", lambda _: "/sbin/ip")
    monkeypatch.setattr(fleetnet, "_run", run)
    with fleetnet.network(2) as found:
        assert found.kind == "loopback (ip netns add: not permitted)"
        assert asked[0][:2] == ("link", "add")
        assert asked[-1] == ("link", "del", fleetnet.names(os.getpid(), 0)[1])


def test_network_is_removed_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was added is deleted, namespaces and cables before the bridge."""
    asked: list[tuple[str, ...]] = []

    def run(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        asked.append(tuple(arguments))
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(fleetnet.shutil, "which", lambda _: "/sbin/ip")
    monkeypatch.setattr(fleetnet, "_run", run)
    with pytest.raises(KeyboardInterrupt):
        _interrupted()
    added = {words[2] for words in asked if words[:2] in (("link", "add"), ("netns", "add"))}
    deleted = [words[2] for words in asked if words[1] == "del"]
    assert (set(deleted), deleted[-1]) == (added, fleetnet.names(os.getpid(), 0)[1])


def _interrupted() -> None:
    """As by Ctrl-C while nodes run."""
    with fleetnet.network(2) as found:
        assert [place.host for place in found.places] == ["198.18.77.11", "198.18.77.12"]
        raise KeyboardInterrupt
