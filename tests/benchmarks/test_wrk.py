"""Reading what wrk prints, and asking it for load."""

import pytest

from benchmarks import wrk

REPORT = """Running 2s test @ http://127.0.0.1:8000/small
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.07ms  561.00us  14.60ms   95.45%
    Req/Sec    30.67k     2.51k   34.10k    80.00%
  Latency Distribution
     50%    1.01ms
     75%    1.12ms
     90%    1.30ms
     99%    2.97ms
  61034 requests in 2.00s, 20.60MB read
Requests/sec:  30511.22
Transfer/sec:     10.30MB
"""


def test_reads_requests_rate_and_percentiles() -> None:
    """A plain report gives its figures, latencies in milliseconds."""
    report = wrk.parse(REPORT)
    assert (report.requests, report.duration_s, report.requests_per_s) == (61034, 2.0, 30511.22)
    assert (report.p50_ms, report.p99_ms, report.errors) == (1.01, 2.97, 0)


@pytest.mark.parametrize(
    ("printed", "milliseconds"),
    [("431.00us", 0.431), ("12.50ms", 12.5), ("1.20s", 1200.0), ("1.50m", 90_000.0)],
)
def test_latencies_come_in_any_unit(printed: str, milliseconds: float) -> None:
    """Microseconds to minutes all become milliseconds."""
    assert wrk.parse(REPORT.replace("2.97ms", printed)).p99_ms == pytest.approx(milliseconds)


def test_adds_up_every_kind_of_error() -> None:
    """Socket errors of four kinds and bad statuses all count."""
    errors = (
        "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n"
    )
    report = wrk.parse(REPORT.replace("Requests/sec", errors + "Requests/sec"))
    assert (report.socket_errors, report.bad_statuses, report.errors) == (4321, 50000, 54321)


def test_refuses_what_is_no_report() -> None:
    """A message of failure is quoted in the error."""
    with pytest.raises(ValueError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_asks_for_one_thread_and_latencies() -> None:
    """The generator never takes more than one core."""
    command = wrk.command("http://h/", connections=256, duration_s=2, script="post.lua")
    assert command[:3] == ("wrk", "--threads", "1")
    assert {"--latency", "256", "2s", "post.lua"} <= set(command)


def test_rotation_visits_every_path_once() -> None:
    """The stride of the script shares no factor with the counts that are used."""
    for count in (1, 10, 10_000):
        assert len({(step * 7919) % count for step in range(count)}) == count
        assert f"(i * 7919) % {count} * 3\n" in wrk.rotation_script(count, "/route-%05d", step=3)


def test_callers_take_turns_at_a_given_pace() -> None:
    """So many callers, and a pause before each request."""
    script = wrk.callers_script(4, pause_ms=32)
    assert "for i = 1, 4 do" in script
    assert "delay = function() return 32 end" in script


def test_distinct_callers_go_on_from_a_number() -> None:
    """Two runs with other first numbers have no caller in common."""
    assert "local at = 100\n" in wrk.distinct_script(100)
