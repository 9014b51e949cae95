"""What travels on a worker's command line."""

from gateway_project.server.limits import ServerLimits
from gateway_project.server.spec import LeavingTimes, WorkerSpec


def test_survives_the_command_line() -> None:
    """Everything comes out as it went in."""
    spec = WorkerSpec(
        app="a:b",
        listening_fds=(3, 4),
        ready_fd=5,
        lifeline_fd=6,
        times=LeavingTimes(grace_s=0.5, drain_timeout_s=7.0),
        limits=ServerLimits(max_headers=9),
    )

    assert WorkerSpec.from_json(spec.to_json()) == spec
