"""Services as specifications."""

import pytest
from pydantic_core import PydanticCustomError

from routing.document.interpolation import fill
from routing.document.services import (
    BreakerSpec,
    EjectionSpec,
    RetriesSpec,
    ServiceSpec,
    TargetSpec,
    TimeoutSpec,
    TlsSpec,
    parse_retry_cause,
    parse_retry_methods,
)


def test_defaults() -> None:
    """A name is enough; what the environment decides stays open."""
    service = ServiceSpec.model_validate({"name": "a"})

    assert (service.protocol, service.targets, service.load_balancing) == ("http", (), None)
    assert (service.timeout.connect, service.timeout.read, service.timeout.total) == (2.0, 30.0, None)
    assert (service.max_connections, service.tls, service.panic) == (512, None, False)


EVERYTHING = {
    "name": "context",
    "protocol": "grpc",
    "targets": [{"url": "http://127.0.0.1:8001", "weight": 2, "zone": "a", "backup": True, "drain": True}],
    "load_balancing": "consistent_hash",
    "hash_on": {"header": "x-user-id"},
    "slow_start": "30s",
    "panic": True,
    "max_concurrency": 1000,
    "timeout": {"connect": "1s", "read": "3s", "total": "60s"},
    "retries": {
        "attempts": 3,
        "on": ["connect", 503],
        "methods": ["GET"],
        "budget": 0.5,
        "backoff": "50ms",
    },
    "breaker": {
        "enabled": False,
        "failure_threshold": 6,
        "failure_window": "11s",
        "min_throughput": 7,
        "recovery_timeout": "61s",
        "half_open_requests": 2,
        "half_open_timeout": "31s",
    },
    "health": {
        "path": "/up",
        "interval": "31s",
        "timeout": "3s",
        "healthy_after": 2,
        "unhealthy_after": 4,
        "expect": [200, 204],
        "body": "ok",
        "slower_than": "2s",
    },
    "ejection": {"consecutive_errors": 6, "for": "31s", "max_percent": 60},
    "tls": {"verify": False, "ca": "ca.pem", "cert": "cert.pem", "key": "key.pem", "sni": "a.b"},
    "max_connections": 5,
}


def test_everything_that_the_contract_shows() -> None:
    """Every key of a service, in the spelling of the contract."""
    service = ServiceSpec.model_validate(EVERYTHING)

    assert service.targets == (
        TargetSpec(url="http://127.0.0.1:8001", weight=2, zone="a", backup=True, drain=True),
    )
    assert service.hash_on == "header:x-user-id"
    assert service.timeout == TimeoutSpec(connect=1.0, read=3.0, total=60.0)
    assert service.retries == RetriesSpec(
        attempts=3, on=("connect", 503), methods=("GET",), budget=0.5, backoff=0.05
    )
    assert service.breaker is not None
    assert (service.breaker.recovery_timeout, service.breaker.half_open_timeout) == (61.0, 31.0)
    assert service.health is not None
    assert (service.health.expect, service.health.slower_than) == ((200, 204), 2.0)
    assert service.ejection is not None
    assert (service.ejection.for_, service.ejection.max_percent) == (31.0, 60.0)
    assert service.tls == TlsSpec(verify=False, ca="ca.pem", cert="cert.pem", key="key.pem", sni="a.b")


def test_sections_have_defaults_of_their_own() -> None:
    """An empty section says: yes, as usual."""
    assert RetriesSpec().on == ("connect", "reset", "timeout", 502, 503, 504)
    assert (BreakerSpec().enabled, BreakerSpec().failure_threshold) == (True, None)
    assert EjectionSpec().for_ == 30.0


def test_policies_may_come_from_the_environment() -> None:
    """Numbers and booleans inside policies are read from what the environment filled in."""
    raw = {"enabled": "${ON}", "failure_threshold": "${N}"}

    breaker = BreakerSpec.model_validate(fill(raw, {"ON": "false", "N": "7"}).value)

    assert (breaker.enabled, breaker.failure_threshold) == (False, 7)


@pytest.mark.parametrize("value", [200, 399, 600, True, "conect", None, [502]])
def test_retry_causes_that_are_none(value: object) -> None:
    """Only failures can be retried."""
    with pytest.raises(
        PydanticCustomError, match="is not one of connect, reset, timeout or a status 400 to 599"
    ):
        parse_retry_cause(value)


def test_retry_methods() -> None:
    """One word, or a list of methods."""
    assert parse_retry_methods("idempotent") == "idempotent"
    assert parse_retry_methods(["GET", "PUT"]) == ("GET", "PUT")
    for wrong in ("all", ["get"], 5):
        with pytest.raises(PydanticCustomError):
            parse_retry_methods(wrong)
