"""The access log's file, and what happens when nobody takes the lines."""

import os
import threading
from pathlib import Path

import orjson
import pytest

from authproxy.exchange import Exchange
from observability.accesslog import writer
from observability.accesslog.line import Rules
from observability.accesslog.writer import AccessLog
from tests.support.records import ended, seen


def tell(log: AccessLog, *exchanges: Exchange) -> None:
    log.see(seen(*exchanges))
    log.take()


def line(status: int) -> bytes:
    return b'{"status":%d}\n' % status


def statuses(*files: Path) -> list[int]:
    return [orjson.loads(line)["status"] for file in files for line in file.read_bytes().splitlines()]


def test_lines_are_written_in_order_to_the_last_one(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    log = AccessLog(str(file), Rules())
    log.start()
    for status in (200, 404, 502):
        tell(log, ended("a", status=status))
    log.refused("192.0.2.7", 431, "HEADERS_TOO_LARGE", "id")
    log.stop()

    assert statuses(file) == [200, 404, 502, 431]
    assert log.dropped == 0
    assert file.stat().st_mode & 0o007 == 0


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As rotation does it; nothing is lost."""
    monkeypatch.setattr(writer, "ROUND_S", 0.0)
    file, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    log = AccessLog(str(file), Rules())
    log._output.look()
    log._output.write(line(200))
    file.rename(moved)
    log._output.look()
    log._output.write(line(404))
    log._output.close()

    assert (statuses(moved), statuses(file)) == ([200], [404])


def test_a_full_disk_is_counted_and_over_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """/dev/full takes nothing; it is said once."""
    log = AccessLog("/dev/full", Rules())
    log.start()
    for _ in range(3):
        tell(log, *[ended("a")] * 5)
    log.stop()

    assert log.dropped == 15
    assert len([each for each in caplog.records if "cannot be written" in each.message]) == 1


def test_a_folder_that_is_not_there_is_no_reason_to_fail(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "none" / "access.log"), Rules())
    log.start()
    tell(log, ended("a"))
    log.stop()

    assert log.dropped == 1


def test_a_pipe_that_nobody_reads_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue fills, the rest is counted, and the end comes all the same; whole lines once somebody reads."""
    monkeypatch.setattr(writer, "GOODBYE_S", 0.05)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(pipe), Rules(), most=1000)
    log.start()
    for _ in range(50):
        tell(log, *[ended("a")] * 100)
    thread = log._thread
    log.stop()

    assert log.dropped >= 3000
    os.set_blocking(reader, True)
    read: list[bytes] = []
    drain = threading.Thread(target=lambda: read.extend(iter(lambda: os.read(reader, 65536), b"")))
    drain.start()
    assert thread is not None
    thread.join(20)
    drain.join(20)
    os.close(reader)
    lines = b"".join(read).splitlines()
    assert len(lines) + log.dropped == 5000
    assert all(orjson.loads(line)["status"] == 200 for line in lines)


def test_samples(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    log = AccessLog(str(file), Rules(sample=0.0))
    log.start()
    unsampled = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
    tell(log, ended("a", traceparent=unsampled), ended("a", status=500))
    log.stop()

    assert statuses(file) == [500]
