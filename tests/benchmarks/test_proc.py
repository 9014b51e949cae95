"""CPU time, memory and connections of a process tree."""

import os
import socket
import subprocess
import sys
import time

from benchmarks import proc
from benchmarks.proc import Stat

LINE = "42 (a (b) c d) S 7 42 40 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 3 0 1000 5000 600"


def test_stat_survives_odd_command_names() -> None:
    """Spaces and parentheses in the command do not shift the fields; children's time is included."""
    expected = Stat(pid=42, parent=7, session=40, ticks=11 + 22 + 33 + 44, waited=33 + 44)
    assert proc.parse_stat(LINE) == expected


def test_tree_holds_descendants_and_orphans_of_the_session() -> None:
    """Children of children belong to it, so does an orphan; a stranger and a sibling do not."""
    root, child, grandchild = Stat(10, 1, 10, 0), Stat(11, 10, 10, 0), Stat(12, 11, 12, 0)
    orphan, stranger = Stat(13, 1, 10, 0), Stat(14, 1, 1, 0)
    found = proc.members(10, [stranger, grandchild, orphan, child, root])
    assert {stat.pid for stat in found} == {10, 11, 12, 13}


def test_tree_of_a_gone_process_is_empty() -> None:
    """Nothing is counted for a process that is not there, not even its former children."""
    assert proc.members(10, [Stat(11, 10, 10, 5)]) == []


def test_status_field_in_kilobytes() -> None:
    """The field is found by its whole name; a missing one is zero."""
    text = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n"
    assert (proc.parse_status_kb(text, "VmRSS"), proc.parse_status_kb(text, "VmR")) == (1024, 0)


def test_work_of_a_child_that_has_ended_still_counts() -> None:
    """CPU time that a waited-for child used is found in the tree of its parent."""
    burn = "import time; e = time.process_time() + 0.2\nwhile time.process_time() < e: pass"
    run = f"subprocess.run([sys.executable, '-c', {burn!r}])"
    code = f"import subprocess, sys; {run}; print('done', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        assert proc.cpu_us(process.pid) >= 150_000
        assert proc.memory_kb(process.pid, "VmRSS") > 1000
        process.communicate(b"\n")
    assert proc.cpu_us(process.pid) == 0


def test_work_of_less_than_a_tick_is_seen() -> None:
    """A slice of a benchmark is compared with another one that takes a few milliseconds more."""
    before, began = proc.cpu_us(os.getpid()), time.process_time()
    while time.process_time() - began < 0.002:
        pass
    assert 2_000 <= proc.cpu_us(os.getpid()) - before < 500_000


def test_connections_are_found_at_the_process_that_holds_them() -> None:
    """Of this process: its accepted ends, no listening socket, no far end, and none of another port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert proc.connections(os.getpid(), port) == {}
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            assert proc.connections(os.getpid(), port) == {os.getpid(): 1}
            assert proc.connections(os.getpid(), client.getsockname()[1]) == {os.getpid(): 1}


def test_established_connections_of_a_port() -> None:
    """The near end counts; 0A listens, 06 waits for its end."""
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    rest = "00000000:00000000 00:00000000 00000000  1000        0"
    lines = [
        f"   {number}: 0100007F:{near} 0100007F:{far} {state} {rest} {number} 1"
        for number, (near, far, state) in enumerate(
            [("1F90", "0000", "0A"), ("1F90", "9000", "01"), ("9000", "1F90", "01"), ("1F90", "9001", "06")]
        )
    ]
    assert proc.parse_established("\n".join([head, *lines]), 8080) == {"1"}


def test_work_of_other_threads_is_not_the_event_loops() -> None:
    """The first thread waits while another one works."""
    program = (
        "import sys, threading, time\n"
        "def work():\n"
        "    while time.thread_time() < 0.3: pass\n"
        "other = threading.Thread(target=work)\n"
        "other.start(); other.join()\n"
        "print('done', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        whole_us, loops_us = proc.cpu_us(process.pid), proc.loops_us(process.pid)
        process.communicate("")
    assert 0 < loops_us <= whole_us - 290_000
    assert proc.loops_us(process.pid) == 0
