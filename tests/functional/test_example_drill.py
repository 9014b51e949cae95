"""The drill as a reader repeats it: what users see while parts die, in how much time, and that nothing is left."""

import asyncio
import os
import re
import sys
import time
from pathlib import Path

import pytest

from tests.support.gateway import data_plane, document, route
from tests.support.process import ROOT

ROW = re.compile(r"^(.+?)  +(\d+) +([\d.]+) +([\d.]+)  (.*)$", re.M)
Seen = dict[str, int]


def statuses(text: str) -> Seen:
    """`200x11 none x1` is eleven answers of 200 and one request without an answer."""
    return {word: int(count) for word, count in re.findall(r"(\w+) ?x(\d+)", text)}


def session(leader: int) -> list[str]:
    """The processes that are left of it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, sid = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(sid) == leader and state != "Z":
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found


async def run(*command: str, **env: str) -> tuple[int, int, str]:
    """Exit status, process id and output of a program that has a session of its own."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **env},
        start_new_session=True,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, process.pid, output.decode()


@pytest.mark.timeout(200)  # seconds; it is bounded by a minute on a machine that has nothing else to do
async def test_drill(tmp_path: Path) -> None:
    """Nobody hears 500 or nothing at all; dead upstreams cost 503, dead Redis costs nothing; limits hold."""
    began = time.monotonic()
    code, pid, output = await run(
        "examples/drill.sh", DRILL_SECONDS="1", PYTHON=sys.executable, TMPDIR=str(tmp_path)
    )
    took_s = time.monotonic() - began
    rows = {what: statuses(saw) for what, _, _, _, saw in ROW.findall(output) if what != "load by"}
    assert code == 0, output
    assert len(rows) == 11, output
    assert not any({"500", "none"} & row.keys() for row in rows.values()), output
    assert rows["all is well"].keys() == {"200"}
    for what in ("one upstream hangs", "one upstream is dead", "Redis hangs", "Redis is dead"):
        assert rows[what]["200"] >= 0.99 * sum(rows[what].values()), output
    assert rows["both are dead: the breaker opens"]["503"] > 100
    assert rows["both are back"]["200"] > rows["both are back"].get("503", 0)
    scarce = [row for what, row in rows.items() if what.startswith("20 a second")]
    assert len(scarce) == 3
    # Two less than 20: at the end of a phase, answers may be late. More: its first and its last second are two.
    assert all(18 <= row["200"] <= 60 for row in scarce), output
    assert session(pid) == []
    assert list(tmp_path.iterdir()) == []
    assert took_s < 150


async def test_loop_in_python() -> None:
    """It counts what it asked for, by status, and goes on after an answer of another kind."""
    raw = {
        **document(route(respond={"status": 200, "body": "x"}, quotas=["q"])),
        "quotas": [{"name": "q", "limit": 5, "per": "1h"}],
    }
    async with data_plane(raw) as plane:
        url = f"http://127.0.0.1:{plane.port}/x"
        load = ("examples/drill_load.py", url, "--seconds", "0.5", "--connections", "2")
        code, _, output = await run(sys.executable, *load)
    _, requests, _, _, saw = output.split(" ", 4)
    found = statuses(saw)
    assert code == 0
    assert found["200"] == 5
    assert found["429"] == int(requests) - 5 > 0


async def test_loop_says_when_nobody_answers() -> None:
    """Requests without an answer are counted as such."""
    code, _, output = await run(
        sys.executable, "examples/drill_load.py", "http://127.0.0.1:1/x", "--seconds", "0.1"
    )
    assert code == 0
    assert statuses(output.split(" ", 4)[4])["none"] > 0
