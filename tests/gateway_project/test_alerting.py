"""The duty of a worker knows all kinds of trouble."""

from gateway_project.alerting import alert_duty, alerts_reader
from observability.alerts.conditions import KINDS
from observability.metrics.catalogue import ALERTS, ALERTS_WAITING
from observability.metrics.samples import Samples


def test_all_kinds_have_a_source() -> None:
    """What receivers can choose, somebody looks at."""
    duty = alert_duty(lambda: None, worker="w", gateway="torana")
    assert {each.kind for each in duty._sources} == set(KINDS)


def test_what_metrics_say() -> None:
    """Nothing before there is a duty; then what became of messages, and how many wait."""
    duty = alert_duty(lambda: None, worker="w", gateway="torana")
    duty.counts["failed"] += 2
    duty.waiting = 3
    before, after = Samples(), Samples()
    alerts_reader(lambda: None)(before)
    alerts_reader(lambda: duty)(after)

    assert not before.values
    assert after.values == {ALERTS: {'result="failed"': 2}, ALERTS_WAITING: {"": 3}}
