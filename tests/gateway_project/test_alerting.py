"""The duty of a worker knows all kinds of trouble."""

from gateway_project.alerting import alert_duty, alerts_reader
from observability.alerts.certificates import Certificates
from observability.alerts.conditions import KINDS
from observability.metrics.catalogue import ALERTS, ALERTS_WAITING, CERTIFICATE_EXPIRY
from observability.metrics.samples import Samples


def test_all_kinds_have_a_source() -> None:
    """What receivers can choose, somebody looks at."""
    duty = alert_duty(lambda: None, Certificates(), worker="w", gateway="torana")
    assert {each.kind for each in duty._sources} == set(KINDS)


def test_what_metrics_say() -> None:
    """Nothing before there is a duty; then what became of messages; ends of certificates by the worker that looks."""
    certificates = Certificates()
    certificates.ends = {("shop", "ca"): 1.5e9}
    duty = alert_duty(lambda: None, Certificates(), worker="w", gateway="torana")
    duty.counts["failed"] += 2
    duty.waiting = 3
    before, after = Samples(), Samples()
    reader = alerts_reader(lambda: duty, certificates)
    alerts_reader(lambda: None, certificates)(before)
    reader(after)

    assert not before.values
    assert after.values == {ALERTS: {'result="failed"': 2}, ALERTS_WAITING: {"": 3}}

    duty.is_ours = True
    reader(mine := Samples())
    assert mine.values[CERTIFICATE_EXPIRY] == {'part="ca",service="shop"': 1.5e9}
