"""I: Network namespaces: one machine's network for each node, joined by a bridge that this run makes and removes."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.errors import BenchmarkError
from benchmarks.processes import HOST

# RFC 2544 set these addresses aside for benchmarks: no real network is hidden by them.
_NETWORK: Final = "198.18.77"
_FIRST_NODE: Final = 11
_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where one node runs: the address that it has, and what its command begins with."""

    host: str
    prefix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """`hub` is the address at which nodes reach what they share; `kind` is what the results call it."""

    kind: str
    hub: str
    places: tuple[Place, ...]


def names(pid: int, number: int) -> tuple[str, str, str]:
    """Namespace and both ends of its cable; an interface's name has at most 15 characters."""
    stem = f"fleet{pid:x}"[-12:]
    return f"{stem}n{number}", f"{stem}h{number}", f"{stem}i{number}"


@contextlib.contextmanager
def network(nodes: int) -> Iterator[Network]:
    """Places for so many nodes. Whatever happens within, nothing of it stays; without root all is loopback."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        reason = "not root" if os.geteuid() != 0 else "no ip command"
        yield Network(f"loopback ({reason})", HOST, (Place(HOST),) * nodes)
        return
    with contextlib.ExitStack() as stack:
        try:
            joined = _joined(nodes, stack)
        except BenchmarkError as failure:
            stack.close()
            joined = Network(f"loopback ({failure})", HOST, (Place(HOST),) * nodes)
        yield joined


def _joined(nodes: int, stack: contextlib.ExitStack) -> Network:
    """What is made is undone in the reverse order; the end of a cable goes with its namespace."""
    bridge = names(os.getpid(), 0)[1]
    _ip("link", "add", bridge, "type", "bridge")
    stack.callback(_remove, "link", "del", bridge)
    _ip("addr", "add", f"{_NETWORK}.1/24", "dev", bridge)
    _ip("link", "set", bridge, "up")
    places = []
    for number in range(1, nodes + 1):
        space, outer, inner = names(os.getpid(), number)
        host = f"{_NETWORK}.{_FIRST_NODE + number - 1}"
        _ip("netns", "add", space)
        stack.callback(_remove, "netns", "del", space)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
        stack.callback(_remove, "link", "del", outer)
        _ip("link", "set", outer, "master", bridge, "up")
        _ip("-n", space, "addr", "add", f"{host}/24", "dev", inner)
        for device in ("lo", inner):
            _ip("-n", space, "link", "set", device, "up")
        places.append(Place(host, ("ip", "netns", "exec", space)))
    return Network("network namespaces, a bridge", f"{_NETWORK}.1", tuple(places))


def _ip(*arguments: str) -> None:
    done = _run(arguments)
    if done.returncode != 0:
        raise BenchmarkError(f"ip {arguments[0]} {arguments[1]}: {done.stderr.strip()[:200]}")


def _remove(*arguments: str) -> None:
    """Best effort: what is gone already is no failure."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        _run(arguments)


def _run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(("ip", *arguments), capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
