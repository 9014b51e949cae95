"""What compiling takes from the settings."""

from dataclasses import dataclass

from resilience.policies import BreakerPolicy, QuotaPolicy
from routing.options import compile_options
from routing.secretfiles import read_secret
from routing.shapes.cors import default_cors
from routing.traffic import TrafficDefaults


@dataclass(frozen=True)
class Settings:
    api_prefix: str = "/v9"
    service_timeout_s: float = 7.0
    azure_tenant_id: str | None = "11111111-2222-3333-4444-555555555555"
    azure_client_id: str | None = "client"
    azure_authority_host: str = "https://login.test"
    fault_injection: bool = False
    zone: str = "a"
    load_balancing_strategy: str = "random"
    enable_rate_limiting: bool = True
    rate_limit_default: int | None = 60
    rate_limit_per_second: int | None = 10
    rate_limit_burst: int | None = 20
    rate_limit_requests: int | None = 100
    rate_limit_window_seconds: int | None = 90
    circuit_breaker_enabled: bool = True
    breaks_everywhere: bool = True
    circuit_breaker_failure_threshold: int = 3
    circuit_breaker_timeout_seconds: int = 4
    circuit_breaker_retry_timeout: int = 5
    cors_allowed_origins: tuple[str, ...] = ("https://app.test",)


def test_everything_that_counts_is_taken_over() -> None:
    """Whoever compiles takes the same, so that what is explained is what is served."""
    options = compile_options(Settings(), {"A": "1"})

    assert (options.env, options.api_prefix, options.service_timeout_s) == ({"A": "1"}, "/v9", 7.0)
    assert [provider.name for provider in options.providers] == ["azure"]
    assert options.read_secret is read_secret
    assert options.traffic == TrafficDefaults(
        load_balancing="random",
        zone="a",
        breaker=BreakerPolicy(failure_threshold=3, recovery_timeout_s=4, half_open_timeout_s=5),
        breaks_everywhere=True,
        faults=False,
        quotas=(
            QuotaPolicy("per minute", 60, 60.0),
            QuotaPolicy("per second", 10, 1.0, burst=20),
            QuotaPolicy("per window", 100, 90.0, algorithm="sliding_window"),
        ),
        cors=default_cors(["https://app.test"]),
    )


def test_no_default_quota_unless_asked_for() -> None:
    """Each of them by its own variable."""
    none = {"rate_limit_default": None, "rate_limit_per_second": None, "rate_limit_requests": None}
    assert compile_options(Settings(**none), {}).traffic.quotas == ()
