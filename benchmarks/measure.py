"""I: One measurement: wrk against one proxy, with the CPU time of the proxy's process tree."""

import contextlib
import math
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import proc, wrk
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy
from benchmarks.summary import Sample
from benchmarks.upstream import Upstream

# The CPU window begins when connections are open and every one of them has had answers, or after the limit.
_SETTLE_S = 0.4
_SETTLE_LIMIT_S = 5.0
_ANSWERS_EACH = 2
# A slow peer's window lasts until it has had these many, or until the limit; a handful would say nothing.
_WINDOW_LIMIT_S = 6.0
_TAIL_S = 0.1


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk asks for, and for how long, where nothing else ends it."""

    path: str
    connections: int
    duration_s: int = 0
    script: str | None = None


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise BenchmarkError("wrk is not installed; it generates the load (Debian: apt-get install wrk)")


def measure(proxy: Proxy, load: Load, *, upstream: Upstream, core: int | None) -> Sample:
    """CPU time and upstream requests are both read at the window's ends, so that requests in flight cancel out."""
    pid = proxy.child.pid
    limit_s = load.duration_s + _SETTLE_LIMIT_S + _WINDOW_LIMIT_S
    enough = _ANSWERS_EACH * load.connections
    with generating(proxy.url, load, core=core, limit_s=limit_s) as generator:
        _wait(upstream, answers=enough, least_s=_SETTLE_S, limit_s=_SETTLE_LIMIT_S)
        cpu_before, requests_before = proc.cpu_us(pid), upstream.requests()
        window_s = load.duration_s - _SETTLE_S - _TAIL_S
        _wait(upstream, answers=enough, least_s=window_s, limit_s=window_s + _WINDOW_LIMIT_S)
        cpu_used, requests = proc.cpu_us(pid) - cpu_before, upstream.requests() - requests_before
        report = finished(generator)
    per_request = cpu_used / requests if requests else math.nan
    return Sample(per_request, report.requests_per_s, report.p50_ms, report.p99_ms, report.errors)


def measure_answers(proxy: Proxy, load: Load, *, core: int | None) -> Sample:
    """CPU time over a whole run of wrk, by wrk's own count of answers: for what need not reach the upstream."""
    before = proc.cpu_us(proxy.child.pid)
    with generating(proxy.url, load, core=core, limit_s=load.duration_s + _SETTLE_LIMIT_S) as generator:
        time.sleep(load.duration_s)
        report = finished(generator)
    used = proc.cpu_us(proxy.child.pid) - before
    per_request = used / report.requests if report.requests else math.nan
    return Sample(per_request, report.requests_per_s, report.p50_ms, report.p99_ms, report.errors)


def _wait(upstream: Upstream, *, answers: int, least_s: float, limit_s: float) -> None:
    began, wanted = time.monotonic(), upstream.requests() + answers
    time.sleep(least_s)
    while upstream.requests() < wanted and time.monotonic() - began < limit_s:
        time.sleep(0.05)


@contextlib.contextmanager
def generating(url: str, load: Load, *, core: int | None, limit_s: float) -> Iterator[subprocess.Popen[str]]:
    """wrk, running for as long as the block lasts, but never longer than the limit."""
    command = wrk.command(
        url + load.path, connections=load.connections, duration_s=math.ceil(limit_s), script=load.script
    )
    process = subprocess.Popen(
        pinned(command, core), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finished(generator: subprocess.Popen[str]) -> wrk.WrkReport:
    """Ask wrk to stop now (it takes SIGINT for that) and read what it saw."""
    generator.send_signal(signal.SIGINT)
    try:
        output, _ = generator.communicate(timeout=30)
        return wrk.parse(output)
    except (ValueError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(f"wrk failed: {error}") from error


def write_script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)
