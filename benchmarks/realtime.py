"""I: What realtime costs: a proxied message, a silent connection, events to many, events between workers."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from benchmarks import documents, events, proc, socketload
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.peers.torana import ROOT
from benchmarks.processes import environment, started, wait_until_ready
from benchmarks.report import number, table
from gateway_project.embedded import start_valkey
from gateway_project.server.ports import keep_port

TITLE = "Realtime"
_CONNECTIONS, _SIZE, _GOAL_US = 32, 100, 60.0
_IDLE, _IDLE_GOAL_KB = 5_000, 25.0
_SETTLE_S = 2.0
_SUBSCRIBERS, _EVENTS, _SPREAD_GOAL_S = 300, 300, 1.0
_BETWEEN, _BETWEEN_GOAL_MS = 500, 20.0


def run(
    *, folder: Path, proxy_core: int | None, load_core: int | None, rounds: int, duration_s: int,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """Markdown."""
    with (
        _echo(folder, load_core) as port,
        proxy_started(_peer(port), folder=folder, upstream_port=port, core=proxy_core) as proxy,
    ):
        say("messages to and fro")
        costs = [_message_us(proxy, duration_s) for _ in range(rounds)]
        say(f"{_IDLE:,} silent connections")
        idle_kb = uvloop.run(_idle_kb(proxy))
    say("events")
    subscriber_kb, spread_s, between_ms = _events(folder, proxy_core)
    cost_us = sorted(costs)[len(costs) // 2]
    rows = [
        (f"proxied message of {_SIZE} B, {_CONNECTIONS} connections", f"{number(cost_us, 1)} µs of CPU"),
        (f"proxied connection that is silent, of {_IDLE:,}", f"{number(idle_kb, 1)} kB"),
        (f"`/ws` connection that is silent, of {_IDLE:,}", f"{number(subscriber_kb, 1)} kB"),
        (f"{_EVENTS} events to {_SUBSCRIBERS} subscribers", f"{number(spread_s, 2)} s of CPU"),
        ("event from one worker to the other, socket to socket, p99", f"{number(between_ms, 1)} ms"),
    ]
    verdicts = (
        _verdict(
            cost_us <= _GOAL_US, f"a proxied message costs {cost_us:.1f} µs (goal: at most {_GOAL_US:g})"
        ),
        _verdict(
            idle_kb <= _IDLE_GOAL_KB,
            f"a silent connection takes {idle_kb:.1f} kB (goal: at most {_IDLE_GOAL_KB:g})",
        ),
        _verdict(
            subscriber_kb <= _IDLE_GOAL_KB,
            f"a silent `/ws` connection takes {subscriber_kb:.1f} kB (goal: at most {_IDLE_GOAL_KB:g})",
        ),
        _verdict(
            spread_s < _SPREAD_GOAL_S,
            f"{_EVENTS} events to {_SUBSCRIBERS} subscribers take {spread_s:.2f} s of CPU"
            f" (goal: under {_SPREAD_GOAL_S:g})",
        ),
        _verdict(
            between_ms < _BETWEEN_GOAL_MS,
            f"an event is at the other worker's subscriber within {between_ms:.1f} ms, p99"
            f" (goal: under {_BETWEEN_GOAL_MS:g})",
        ),
    )
    return f"{table(('what', 'cost'), rows)}\n\n" + "\n".join(verdicts)


def _events(folder: Path, core: int | None) -> tuple[float, float, float]:
    """Memory of a silent subscriber in kB, CPU of many events to many in s, and the way between workers in ms."""
    with proxy_started(events.peer(), folder=folder, upstream_port=keep_port(), core=core) as proxy:
        spread_s = uvloop.run(events.spread_s(proxy, subscribers=_SUBSCRIBERS, events=_EVENTS))
        idle_kb = uvloop.run(events.idle_kb(proxy, _IDLE))
    home = folder / "redis"
    home.mkdir()
    redis = start_valkey(home)
    if redis is None:
        raise BenchmarkError("the way between workers needs the embedded server")
    try:
        with proxy_started(
            events.peer(redis.url, workers=2), folder=folder, upstream_port=keep_port(), core=core
        ) as proxy:
            return idle_kb, spread_s, uvloop.run(events.between_ms(proxy, events=_BETWEEN))
    finally:
        redis.stop()


@contextmanager
def _echo(folder: Path, core: int | None) -> Iterator[int]:
    """The port of the upstream that sends messages back."""
    port = keep_port()
    command = (sys.executable, "-m", "benchmarks.lean_socket", str(port))
    with started("echo", command, folder=folder, env=environment(folder), cwd=ROOT, core=core) as child:
        wait_until_ready(child, port=port, path="/")
        yield port


def _peer(port: int) -> Peer:
    def prepare(site: Site) -> Launch:
        return torana.serving(documents.sockets(port), site)

    return Peer("Torana sockets", prepare, torana.TORANA.version)


def _message_us(proxy: Proxy, duration_s: int) -> float:
    before = proc.cpu_us(proxy.child.pid)
    messages = uvloop.run(
        socketload.to_and_fro(proxy.port, "/", connections=_CONNECTIONS, size=_SIZE, duration_s=duration_s)
    )
    return (proc.cpu_us(proxy.child.pid) - before) / messages


async def _idle_kb(proxy: Proxy) -> float:
    """Resident memory of the process tree, by connection; both of its sides are in it."""
    before = proc.memory_kb(proxy.child.pid, "VmRSS")
    clients = await socketload.opened(proxy.port, "/", _IDLE, lambda _client, _data: None, {})
    await asyncio.sleep(_SETTLE_S)  # what handshakes took is given back
    after = proc.memory_kb(proxy.child.pid, "VmRSS")
    for client in clients:
        client.transport.abort()
    return (after - before) / _IDLE


def _verdict(is_ok: bool, text: str) -> str:
    return f"- {'ok' if is_ok else 'MISSED'}: {text}"
