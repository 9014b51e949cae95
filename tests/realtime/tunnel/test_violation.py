"""What ends a connection."""

from realtime.tunnel.violation import Violation


def test_offenders_are_told_a_code_and_a_reason() -> None:
    violation = Violation(1009, "too large")
    assert (violation.code, violation.reason, str(violation)) == (1009, "too large", "too large")
