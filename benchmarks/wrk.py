"""P: Command lines for wrk and the figures in its output."""

import re
from dataclasses import dataclass

_UNITS_IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}
_PERCENTILE = re.compile(r"^\s*(\d+)(?:\.\d+)?%\s+([\d.]+)(us|ms|s|m|h)\s*$", re.MULTILINE)
_TOTAL = re.compile(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h),", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_SOCKET_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_BAD_STATUS = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@dataclass(frozen=True, slots=True)
class WrkReport:
    """What one run of wrk saw; latencies in milliseconds."""

    requests: int
    duration_s: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    socket_errors: int
    bad_statuses: int

    @property
    def errors(self) -> int:
        return self.socket_errors + self.bad_statuses


def parse(output: str) -> WrkReport:
    """Read the text that `wrk --latency` prints; ValueError if it is not such a text."""
    total, rate = _TOTAL.search(output), _RATE.search(output)
    if total is None or rate is None:
        raise ValueError(f"not a report of wrk: {output.strip()[:200]!r}")
    percentiles = {
        int(at): float(value) * _UNITS_IN_MS[unit] for at, value, unit in _PERCENTILE.findall(output)
    }
    socket_errors = _SOCKET_ERRORS.search(output)
    bad = _BAD_STATUS.search(output)
    return WrkReport(
        requests=int(total[1]),
        duration_s=float(total[2]) * _UNITS_IN_MS[total[3]] / 1000,
        requests_per_s=float(rate[1]),
        p50_ms=percentiles.get(50, 0.0),
        p99_ms=percentiles.get(99, 0.0),
        socket_errors=sum(map(int, socket_errors.groups())) if socket_errors else 0,
        bad_statuses=int(bad[1]) if bad else 0,
    )


def command(url: str, *, connections: int, duration_s: int, script: str | None = None) -> tuple[str, ...]:
    """One wrk thread, so that the generator never asks for more than one core."""
    scripted = ("--script", script) if script else ()
    return (
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{duration_s}s",
        "--timeout", "8s", "--latency", *scripted, url,
    )  # fmt: skip


def post_script(size_bytes: int) -> str:
    """Lua: every request is a POST of this size."""
    return (
        'wrk.method = "POST"\n'
        f'wrk.body = string.rep("x", {size_bytes})\n'
        'wrk.headers["Content-Type"] = "application/octet-stream"\n'
    )


def rotation_script(paths: int, path_format: str, *, step: int = 1) -> str:
    """Lua: go round so many paths in scattered order; path_format has one `%05d`, which takes multiples of step."""
    return (
        "local requests, at = {}, 0\n"
        "init = function(args)\n"
        f"  for i = 0, {paths - 1} do\n"
        f"    local number = (i * 7919) % {paths} * {step}\n"
        f'    requests[i + 1] = wrk.format("GET", string.format("{path_format}", number))\n'
        "  end\n"
        "end\n"
        f"request = function() at = at % {paths} + 1 return requests[at] end\n"
    )


def header_script(name: str, value: str) -> str:
    """Lua: every request carries this header field."""
    return f'wrk.headers["{name}"] = "{value}"\n'


def bearer_script(path: str, tokens: str, *, once: bool = False) -> str:
    """Lua: go round the tokens of a file, one on each line, as Bearer; or through them `once`, and end."""
    end = "if at == #requests then wrk.thread:stop() end " if once else ""
    return (
        "local requests, at = {}, 0\n"
        "init = function(args)\n"
        f'  for token in io.lines("{tokens}") do\n'
        f'    requests[#requests + 1] = wrk.format("GET", "{path}", {{["Authorization"] = "Bearer " .. token}})\n'
        "  end\n"
        "end\n"
        f"request = function() {end}at = at % #requests + 1 return requests[at] end\n"
    )


def callers_script(callers: int, *, pause_ms: int = 0) -> str:
    """Lua: so many callers take turns; each connection rests so long before each request."""
    rest = f"delay = function() return {pause_ms} end\n" if pause_ms else ""
    return (
        "local requests, at = {}, 0\n"
        "init = function(args)\n"
        f"  for i = 1, {callers} do\n"
        '    requests[i] = wrk.format("GET", nil, {["X-Caller"] = "caller-" .. i})\n'
        "  end\n"
        "end\n"
        f"{rest}"
        f"request = function() at = at % {callers} + 1 return requests[at] end\n"
    )


def distinct_script(first: int) -> str:
    """Lua: every request is of another caller, numbered from the first on."""
    return (
        f"local at = {first}\n"
        "request = function()\n"
        "  at = at + 1\n"
        '  wrk.headers["X-Caller"] = "caller-" .. string.format("%d", at)\n'
        '  return wrk.format("GET")\n'
        "end\n"
    )
