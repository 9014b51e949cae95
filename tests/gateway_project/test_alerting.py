"""The duty of a worker knows all kinds of trouble."""

from gateway_project.alerting import alert_duty
from observability.alerts.conditions import KINDS


def test_all_kinds_have_a_source() -> None:
    """What receivers can choose, somebody looks at."""
    duty = alert_duty(lambda: None, worker="w", gateway="torana")
    assert {each.kind for each in duty._sources} == set(KINDS)
