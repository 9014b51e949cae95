"""What workers of one node have counted, on the disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from observability.metrics import catalogue as names
from observability.metrics.samples import Samples
from observability.metrics.shelf import DEPARTED, LINES, Life, Shelf, life_of

LIFE = life_of(os.getpid()) or Life(0, "0")


def counted(number: int, *, workers: int = 1) -> Samples:
    found = Samples()
    found.put(names.RETRIES, number, "s")
    found.put(names.WORKERS, workers)
    return found


def shelf(var: Path, name: str) -> Shelf:
    found = Shelf(var, life=LIFE, name=name)
    found.open()
    return found


def folder(var: Path) -> Path:
    (found,) = (var / "metrics").iterdir()
    return found


def others(one: Shelf) -> Samples:
    found = Samples()
    one.add_others(found)
    return found


def retries(samples: Samples) -> object:
    return samples.get(names.RETRIES, "s")


def test_workers_see_each_other(tmp_path: Path) -> None:
    one, other = shelf(tmp_path, "1"), shelf(tmp_path, "2")
    other.write(counted(3))

    assert retries(others(one)) == 3
    assert retries(others(other)) is None
    one.close()
    other.close()


def test_the_counts_of_who_is_gone_are_taken_over_once(tmp_path: Path) -> None:
    """However often somebody looks; how it stood is forgotten, and so are its files."""
    one, other, third = (shelf(tmp_path, name) for name in "123")
    for gone, number in ((other, 3), (third, 4)):
        gone.write(counted(number))
        gone.close()
        for _ in range(3):
            assert others(one).get(names.WORKERS) is None

    assert retries(others(one)) == 7
    assert sorted(path.name for path in folder(tmp_path).iterdir()) == [
        "1.lock",
        "departed.counts",
        "departed.lock",
    ]
    one.close()


def test_a_process_that_died_while_it_took_over_did_so_once(tmp_path: Path) -> None:
    """Files that it had no time to remove are not counted again."""
    one, other = shelf(tmp_path, "1"), shelf(tmp_path, "2")
    other.write(counted(3))
    left = (folder(tmp_path) / "2.counts").read_bytes()
    other.close()
    others(one)
    (folder(tmp_path) / "2.counts").write_bytes(left)
    (folder(tmp_path) / "2.lock").touch()

    assert retries(others(one)) == 3
    assert not (folder(tmp_path) / "2.lock").exists()
    one.close()


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    """The system says so, whatever happened to it."""
    program = (
        "import sys; from pathlib import Path; from observability.metrics.shelf import *;"
        f"shelf = Shelf(Path({str(tmp_path)!r}), life=Life({LIFE.pid}, {LIFE.since!r}), name='k'); shelf.open();"
        "from observability.metrics.samples import Samples; found = Samples();"
        "found.put('gateway_upstream_retries_total', 5, 's'); shelf.write(found); print('there', flush=True);"
        "sys.stdin.read()"
    )
    one = shelf(tmp_path, "1")
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        assert retries(others(one)) == 5
        process.kill()

    assert (retries(others(one)), others(one).get(names.WORKERS)) == (5, None)
    one.close()


def test_a_life_that_is_over_leaves_nothing(tmp_path: Path) -> None:
    """Counters begin anew with the process that starts the workers."""
    old = Shelf(tmp_path, life=Life(LIFE.pid, "1"), name="1")
    old.open()
    old.write(counted(3))
    old.close()
    one = shelf(tmp_path, "1")

    assert folder(tmp_path).name == LIFE.name
    assert retries(others(one)) is None
    one.close()


@pytest.mark.parametrize("name", ["2", DEPARTED])
def test_garbage_is_nothing(tmp_path: Path, name: str) -> None:
    """A file that is damaged keeps nobody from reading the others."""
    one, other = shelf(tmp_path, "1"), shelf(tmp_path, "2")
    (folder(tmp_path) / f"{name}{LINES}").write_bytes(b"\xff{")

    assert others(one).values == {}
    one.close()
    other.close()


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path) -> None:
    """And what was there stays whole."""
    one, other = shelf(tmp_path, "1"), shelf(tmp_path, "2")
    other.write(counted(3))
    (folder(tmp_path) / "2.new").mkdir()

    with pytest.raises(OSError, match="directory"):
        other.write(counted(4))
    assert retries(others(one)) == 3
    one.close()
    other.close()


def test_who_has_left_writes_no_more(tmp_path: Path) -> None:
    """Else it would be counted twice."""
    one, other = shelf(tmp_path, "1"), shelf(tmp_path, "2")
    other.write(counted(3))
    other.close()
    others(one)
    other.publish(lambda: counted(9))

    assert retries(others(one)) == 3
    one.close()


def test_lives_are_told_apart() -> None:
    """A process number alone may be another's tomorrow."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1)
    found = life_of(child.pid)
    child.communicate(b"\n")

    assert found is not None
    assert found.pid == child.pid
    assert found.since.isdigit()
    assert life_of(child.pid) is None
