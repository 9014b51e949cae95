"""The list of metrics."""

import re

import pytest

from observability.metrics.catalogue import BOUNDS_S, FAMILIES, Family
from observability.traffic.histogram import FLOOR_S

PROMISED = """gateway_requests_total{route,service,method,status} gateway_request_duration_seconds
    gateway_upstream_attempts_total{service,target,outcome} gateway_breaker_state{service}
    gateway_rate_limit_decisions_total{quota,decision} gateway_auth_failures_total{reason}
    gateway_websocket_connections{route} gateway_config_revision gateway_dropped_total{queue}""".split()  # noqa: SIM905


@pytest.mark.parametrize("promise", PROMISED)
def test_what_is_promised_is_there(promise: str) -> None:
    name, _, labels = promise.rstrip("}").partition("{")

    assert name in FAMILIES
    assert not labels or FAMILIES[name].labels == tuple(labels.split(","))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_names_are_as_prometheus_has_them(family: Family) -> None:
    assert re.fullmatch(r"(gateway|process|python_gc)_[a-z_]+", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.help.endswith(".")


def test_no_label_is_of_a_client_s_making() -> None:
    labels = {label for family in FAMILIES.values() for label in family.labels}

    assert labels == {
        "route", "service", "method", "status", "target", "outcome", "quota", "decision", "reason", "queue",
        "code", "policy", "result", "state", "what", "version", "generation", "part",
    }  # fmt: skip


def test_bounds_are_powers_of_two_milliseconds() -> None:
    """So that the finer buckets lie within them."""
    assert [bound / FLOOR_S for bound in BOUNDS_S] == [2**power for power in range(2, 19)]
