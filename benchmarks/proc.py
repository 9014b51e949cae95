"""I: CPU time, memory and connections of a process tree, from /proc."""

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of /proc/PID/stat; ticks = user + system time, also that of children already waited for."""

    pid: int
    parent: int
    session: int
    ticks: int
    waited: int = 0
    """The children's, of these."""


def parse_stat(line: str) -> Stat:
    """Fields as in proc(5). The command in parentheses may itself hold spaces and parentheses."""
    pid, _, rest = line.partition(" (")
    fields = rest.rpartition(")")[2].split()
    own, waited = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return Stat(int(pid), int(fields[1]), int(fields[3]), ticks=own + waited, waited=waited)


def members(root: int, stats: Iterable[Stat]) -> list[Stat]:
    """The process, its descendants, and orphans of the session that it leads."""
    pending = {stat.pid: stat for stat in stats}
    if root not in pending:
        return []
    found = [pending.pop(root)]
    wanted = {root}
    while more := [s for s in pending.values() if s.parent in wanted or s.session == root]:
        for stat in more:
            found.append(pending.pop(stat.pid))
            wanted.add(stat.pid)
    return found


def tree(root: int) -> list[Stat]:
    return members(root, _all_stats())


def left_of(pids: Iterable[int], *, session: int) -> list[Stat]:
    """Those of the pids that still run and belong to the session, so that a reused pid is never taken."""
    wanted = set(pids)
    return [stat for stat in _all_stats() if stat.pid in wanted and stat.session == session]


def cpu_us(root: int) -> float:
    """CPU time that the tree has used so far, in microseconds; that of children that have ended in ticks of 10 ms."""
    found = tree(root)
    return sum(stat.waited for stat in found) * _TICK_US + sum(_clock_us(stat) for stat in found)


def loops_us(root: int) -> float:
    """The part of it that the first threads of the processes have used, which run the event loops."""
    return sum(_first_thread_us(stat.pid) for stat in tree(root))


def _first_thread_us(pid: int) -> float:
    """Its time on a processor, by the scheduler's count (proc(5), schedstat); 0 once it has ended."""
    with contextlib.suppress(OSError):
        return int((_PROC / f"{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1000
    return 0.0


def _clock_us(stat: Stat) -> float:
    """What the process's own clock shows (clock_getcpuclockid(3)), to less than a microsecond."""
    try:
        return time.clock_gettime((~stat.pid << 3) | 2) * 1e6
    except OSError:  # it has ended meanwhile
        return (stat.ticks - stat.waited) * _TICK_US


def memory_kb(root: int, field: str) -> int:
    """Sum over the tree of a field of /proc/PID/status: VmRSS (now) or VmHWM (peak), in kB."""
    return sum(_status_kb(stat.pid, field) for stat in tree(root))


def reset_peak(root: int) -> None:
    """Let VmHWM start again from the present VmRSS (proc(5), clear_refs)."""
    for stat in tree(root):
        (_PROC / str(stat.pid) / "clear_refs").write_text("5")


def connections(root: int, port: int) -> dict[int, int]:
    """How many connections to a port (IPv4) each process of the tree holds, by pid; those without are left out."""
    wanted = parse_established((_PROC / "net/tcp").read_text(), port)
    found = {stat.pid: len(wanted & _sockets(stat.pid)) for stat in tree(root)}
    return {pid: number for pid, number in found.items() if number}


def parse_established(text: str, port: int) -> set[str]:
    """The inodes of established connections whose near end is the port, of the lines of /proc/net/tcp."""
    rows = (line.split() for line in text.splitlines()[1:])
    return {row[9] for row in rows if row[3] == "01" and int(row[1].partition(":")[2], 16) == port}


def _sockets(pid: int) -> set[str]:
    """The inodes of the sockets that a process has open."""
    found = set()
    with contextlib.suppress(OSError):
        for each in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                name = str(each.readlink())
                if name.startswith("socket:["):
                    found.add(name[8:-1])
    return found


def parse_status_kb(text: str, field: str) -> int:
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    return 0


def _status_kb(pid: int, field: str) -> int:
    try:
        return parse_status_kb((_PROC / str(pid) / "status").read_text(), field)
    except OSError:
        return 0


def _all_stats() -> list[Stat]:
    stats = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                stats.append(parse_stat((folder / "stat").read_text()))
    return stats
