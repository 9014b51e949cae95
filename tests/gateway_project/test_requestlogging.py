"""The log of requests as the environment wants it."""

from datetime import timedelta
from pathlib import Path

from authproxy.headers import read
from gateway_project.config import load_config
from gateway_project.requestlogging import request_log
from observability.requests.log import RequestLog
from tests.support.records import ended, seen


def made(tmp_path: Path, **environ: str) -> RequestLog | None:
    config = load_config({"VAR_DIR": str(tmp_path), **environ})
    return request_log(config, node="w")


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    """Nothing is kept then, nor is there a thread."""
    assert made(tmp_path, REQUEST_LOG="off") is None


def test_its_bounds_are_the_environment_s(tmp_path: Path) -> None:
    """How many a second, how many at all, for how long, and what else is secret."""
    log = made(
        tmp_path,
        REQUEST_LOG_FAULTS_PER_SECOND="3",
        REQUEST_LOG_SAMPLES_PER_SECOND="0",
        REQUEST_LOG_ROWS="7",
        REQUEST_LOG_DAYS="2",
        REQUEST_LOG_MASK="X-Patient, ssn",
    )
    assert log is not None

    assert (log.bounds.rows, log.bounds.kept_for) == (7, timedelta(days=2))
    assert log.masking.fields(read([(b"x-patient", b"7")]).passed) == [("x-patient", "…")]
    log.choice.see(seen(ended("r"), *[ended("r", status=500)] * 9))
    assert [each.status for each in log.choice.take()] == [500] * 6
