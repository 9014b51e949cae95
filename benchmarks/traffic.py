"""I: What holding traffic in check costs: each way, and all at once, beside the bare route of the same gateway."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import documents, exactness, flood, holding, probes, proc, wrk
from benchmarks.errors import BenchmarkError
from benchmarks.holding import FASTAPI_NAME, IN_PROCESS, THROUGH_REDIS, Samples
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, measure, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.peers.frameworks import FASTAPI
from benchmarks.tokens import SECRET, token
from benchmarks.upstream import Upstream
from gateway_project.embedded import EmbeddedValkey, start_valkey

TITLE = "Traffic held in check"
_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it may take."""

    rounds: int
    duration_s: int
    exact_s: int
    keys: int


QUICK = Plan(rounds=2, duration_s=2, exact_s=10, keys=300_000)


def whole(rounds: int, duration_s: int) -> Plan:
    return Plan(rounds, duration_s, exact_s=60, keys=1_000_000)


def run(
    *, folder: Path, upstream: Upstream, proxy_core: int | None, load_core: int | None, plan: Plan,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """Markdown of four tables: costs, exactness, memory, checks."""
    with redis_running(folder) as redis:
        costs = _costs(folder, upstream, redis, (proxy_core, load_core), plan, say)
        say(f"two workers, {exactness.KEYS} keys, {plan.exact_s} s of load")
        exact = exactness.run(
            folder=folder, upstream=upstream, redis_url=redis.url, proxy_core=proxy_core, load_core=load_core,
            seconds=plan.exact_s,
        )  # fmt: skip
        say(f"{plan.keys:,} distinct keys")
        flooded = flood.run(
            folder=folder, upstream=upstream, redis=redis, proxy_core=proxy_core, load_core=load_core,
            keys=plan.keys,
        )  # fmt: skip
    say(f"checks of {probes.TARGETS:,} targets")
    checked = probes.run(folder=folder, upstream=upstream, proxy_core=proxy_core)
    return "\n\n".join((costs, exact, flooded, checked))


@contextlib.contextmanager
def redis_running(folder: Path) -> Iterator[EmbeddedValkey]:
    """Beside the gateways, not under one of them: it runs on this process's core, and its time is counted apart."""
    redis = start_valkey(folder)
    if redis is None:
        raise BenchmarkError("no Redis could be started")
    try:
        yield redis
    finally:
        redis.stop()


def _costs(
    folder: Path, upstream: Upstream, redis: EmbeddedValkey, cores: tuple[int | None, int | None], plan: Plan,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """The rows take turns, so that each round holds all of them within a minute."""
    proxy_core, load_core = cores
    with contextlib.ExitStack() as stack:
        proxies: dict[str, Proxy] = {}
        peers = (_peer(IN_PROCESS, "none"), _peer(THROUGH_REDIS, redis.url), FASTAPI)
        for name, peer in zip((IN_PROCESS, THROUGH_REDIS, FASTAPI_NAME), peers, strict=True):
            starting = proxy_started(peer, folder=folder, upstream_port=upstream.port, core=proxy_core)
            proxies[name] = stack.enter_context(starting)
        bearer = write_script(folder, "all.lua", wrk.header_script("Authorization", f"Bearer {token(0)}"))
        samples: Samples = {row: [] for row in holding.ROWS}
        spent = dict.fromkeys(holding.ROWS, (0.0, 0))
        for turn in range(plan.rounds):
            say(f"round {turn + 1} of {plan.rounds}")
            for row in holding.ROWS:
                load = Load(row.path, _CONNECTIONS, plan.duration_s, bearer if row.is_known else None)
                with _spent(redis, upstream) as own:
                    samples[row].append(
                        measure(proxies[row.gateway], load, upstream=upstream, core=load_core)
                    )
                spent[row] = (spent[row][0] + own[0], spent[row][1] + int(own[1]))
    redis_us = {row: cpu_us / max(1, requests) for row, (cpu_us, requests) in spent.items()}
    return holding.rendered(samples, redis_us)


@contextlib.contextmanager
def _spent(redis: EmbeddedValkey, upstream: Upstream) -> Iterator[list[float]]:
    """Filled at the end: Redis's CPU time, and requests that the upstream had."""
    assert redis.process is not None
    spent: list[float] = []
    before = proc.cpu_us(redis.process.pid), upstream.requests()
    yield spent
    spent += (proc.cpu_us(redis.process.pid) - before[0], upstream.requests() - before[1])


def _peer(name: str, redis_url: str) -> Peer:
    def prepare(site: Site) -> Launch:
        launch = torana.serving(documents.traffic(site.upstream_port), site)
        own = {"REDIS_URL": redis_url, "JWT_SECRET": SECRET, "JWT_ALGORITHM": "HS256"}
        return Launch(launch.command, {**launch.env, **own}, launch.ready_path)

    return Peer(f"Torana {name}", prepare, torana.TORANA.version)
