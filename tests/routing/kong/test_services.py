"""Services and upstreams of Kong."""

from typing import Any

import pytest

from routing.foreign import Notes
from routing.kong.reading import read
from routing.kong.services import service_of


def made(service: dict[str, Any], **more: Any) -> tuple[dict[str, Any] | None, list[str]]:
    source, notes = read({"_format_version": "3.0", "services": [{"name": "a", **service}], **more}), Notes()
    return service_of(source.services[0], "a", source, notes), notes.lines()


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ({"url": "http://a.internal/base/"}, "http://a.internal:80/base"),
        ({"url": "https://a.internal"}, "https://a.internal:443"),
        ({"host": "10.0.0.1", "port": 9000, "path": "/v1"}, "http://10.0.0.1:9000/v1"),
        ({"host": "::1", "protocol": "https", "tls_verify": True}, "https://[::1]:443"),
    ],
)
def test_where_it_is(service: dict[str, Any], url: str) -> None:
    """By `url`, or by its parts."""
    found, _ = made(service)
    assert found is not None
    assert found["targets"] == [{"url": url}]


def test_an_upstream_brings_targets_checks_and_balance() -> None:
    """A weight of 0 takes no traffic, in Kong as here."""
    found, said = made(
        {"host": "pool", "path": "/v1"},
        upstreams=[
            {
                "name": "pool", "algorithm": "consistent-hashing", "hash_on": "cookie", "hash_on_cookie": "who",
                "targets": [{"target": "h1:1", "weight": 10}, {"target": "h2:2", "weight": 0}],
                "healthchecks": {
                    "active": {"http_path": "/up", "healthy": {"interval": 5, "http_statuses": [200, 204]},
                               "unhealthy": {"http_failures": 2}},
                    "passive": {"unhealthy": {"http_failures": 4}},
                },
            }
        ],
        targets=[{"target": "h3:3", "upstream": "pool"}, {"target": "no:1", "upstream": "other"}],
    )  # fmt: skip
    assert said == []
    assert found is not None
    assert found["targets"] == [
        {"url": "http://h1:1/v1", "weight": 10},
        {"url": "http://h2:2/v1", "drain": True},
        {"url": "http://h3:3/v1", "weight": 100},
    ]
    assert (found["load_balancing"], found["hash_on"]) == ("consistent_hash", {"cookie": "who"})
    assert found["health"] == {
        "path": "/up", "interval": "5s", "timeout": "1s", "healthy_after": 1, "unhealthy_after": 2,
        "expect": [200, 204],
    }  # fmt: skip
    assert found["ejection"] == {"consecutive_errors": 4}


@pytest.mark.parametrize(
    ("service", "upstream", "said"),
    [
        ({"protocol": "tcp", "host": "a"}, {}, "services[0]: protocol tcp"),
        ({"url": "https://a"}, {}, "verified from now on"),
        ({"host": "a", "write_timeout": 5}, {}, "services[0].write_timeout"),
        ({"url": "https://a", "tls_verify": True, "client_certificate": "id"}, {}, "client_certificate"),
        ({"host": "up"}, {"algorithm": "latency"}, "upstreams[0].algorithm: latency"),
        ({"host": "up"}, {"algorithm": "consistent-hashing"}, "upstreams[0].hash_on: none"),
        ({"host": "up"}, {"targets": [{}]}, "upstreams[0].targets[0]"),
        (
            {"host": "up"},
            {"healthchecks": {"active": {"type": "tcp", "healthy": {"interval": 1}}}},
            "healthchecks.active.type",
        ),
    ],
)
def test_what_has_no_counterpart_is_named(
    service: dict[str, Any], upstream: dict[str, Any], said: str
) -> None:
    """With its place."""
    _, lines = made(service, upstreams=[{"name": "up", **upstream}])
    assert any(said in line for line in lines), lines
