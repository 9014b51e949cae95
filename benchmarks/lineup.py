"""I: Bringing peers up beside each other, and proof that each really proxies."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cores
from benchmarks.errors import BenchmarkError
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.peers.torana import ROOT
from benchmarks.processes import Child, answer_of, environment, started, wait_until_ready
from benchmarks.upstream import LARGE_BYTES, MARK, POST_BYTES, SMALL_BYTES, Upstream
from gateway_project.server.ports import keep_port


@dataclass(frozen=True, slots=True)
class Proxy:
    """A peer that runs and has been seen to proxy."""

    name: str
    version: str
    child: Child
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Lineup:
    """Who takes part, and who could not, with the reason."""

    proxies: tuple[Proxy, ...]
    absent: tuple[tuple[str, str], ...]

    def named(self, name: str) -> Proxy | None:
        return next((proxy for proxy in self.proxies if proxy.name == name), None)


def core_plan() -> cores.Cores:
    return cores.plan(sorted(_ALLOWED))


def leave_proxy_core(plan: cores.Cores) -> None:
    """Keep this process, and what it starts without a core of its own, off the proxies' core."""
    if plan.load is not None:
        os.sched_setaffinity(0, {plan.load})


@contextlib.contextmanager
def proxy_started(peer: Peer, *, folder: Path, upstream_port: int, core: int | None) -> Iterator[Proxy]:
    """One peer on a free port; BenchmarkError if it is not installed or does not get ready."""
    site = Site(folder / peer.name.lower().replace(" ", "-").replace("+", "and"), keep_port(), upstream_port)
    site.folder.mkdir(parents=True)
    launch = peer.prepare(site)
    with _launched(peer.name, launch, site=site, core=core) as child:
        yield Proxy(peer.name, peer.version(), child, site.port)


@contextlib.contextmanager
def _launched(name: str, launch: Launch, *, site: Site, core: int | None) -> Iterator[Child]:
    env = environment(site.folder, launch.env)
    with started(name, launch.command, folder=site.folder, env=env, cwd=ROOT, core=core) as child:
        wait_until_ready(child, port=site.port, path=launch.ready_path)
        yield child


@contextlib.contextmanager
def assembled(
    peers: Sequence[Peer], *, folder: Path, upstream: Upstream, core: int | None
) -> Iterator[Lineup]:
    """All peers at once, idle until their turn; those that fail are listed, not fatal."""
    absent: list[tuple[str, str]] = []
    proxies: list[Proxy] = []
    with contextlib.ExitStack() as stack:
        for peer in peers:
            try:
                with contextlib.ExitStack() as attempt:
                    starting = proxy_started(peer, folder=folder, upstream_port=upstream.port, core=core)
                    proxy = attempt.enter_context(starting)
                    check_proxies(proxy, upstream)
                    stack.push(attempt.pop_all())
            except BenchmarkError as failure:
                absent.append((peer.name, str(failure)))
            else:
                proxies.append(proxy)
        yield Lineup(tuple(proxies), tuple(absent))


def check_proxies(proxy: Proxy, upstream: Upstream) -> None:
    """Each answer has the upstream's body and header, and made exactly one upstream request."""
    cases = (
        ("GET", "/small", None, SMALL_BYTES),
        ("GET", "/large", None, LARGE_BYTES),
        ("POST", "/post", b"x" * POST_BYTES, SMALL_BYTES),
    )
    for method, path, body, expected in cases:
        before = upstream.requests()
        answer = answer_of(proxy.port, path, method=method, body=body)
        came_through = upstream.requests() - before
        told = answer.headers.get("x-body-length", "0") or "0"
        truth = (answer.status, len(answer.body), answer.headers.get(MARK[0]), int(told), came_through)
        wanted = (200, expected, MARK[1], len(body or b""), 1)
        if truth != wanted:
            raise BenchmarkError(
                f"{proxy.name} does not proxy {method} {path}: (status, body, mark, body at the upstream, "
                f"upstream requests) is {truth}, should be {wanted}"
            )


_ALLOWED = frozenset(os.sched_getaffinity(0))
