"""I: What compiling takes from the gateway's settings, the same for whoever compiles."""

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from resilience.policies import Balancing, BreakerPolicy, QuotaPolicy
from routing.azure import azure_providers
from routing.compiler import CompileOptions
from routing.secretfiles import read_secret
from routing.shapes.cors import default_cors
from routing.traffic import TrafficDefaults


class Settings(Protocol):
    """The part of the gateway's configuration that matters here."""

    @property
    def api_prefix(self) -> str: ...
    @property
    def service_timeout_s(self) -> float: ...
    @property
    def fault_injection(self) -> bool: ...
    @property
    def zone(self) -> str: ...
    @property
    def load_balancing_strategy(self) -> str: ...
    @property
    def enable_rate_limiting(self) -> bool: ...
    @property
    def rate_limit_default(self) -> int | None: ...
    @property
    def rate_limit_per_second(self) -> int | None: ...
    @property
    def rate_limit_burst(self) -> int | None: ...
    @property
    def rate_limit_requests(self) -> int | None: ...
    @property
    def rate_limit_window_seconds(self) -> int | None: ...
    @property
    def circuit_breaker_enabled(self) -> bool: ...
    @property
    def breaks_everywhere(self) -> bool: ...
    @property
    def circuit_breaker_failure_threshold(self) -> int: ...
    @property
    def circuit_breaker_timeout_seconds(self) -> int: ...
    @property
    def circuit_breaker_retry_timeout(self) -> int: ...
    @property
    def cors_allowed_origins(self) -> tuple[str, ...]: ...
    @property
    def azure_tenant_id(self) -> str | None: ...
    @property
    def azure_client_id(self) -> str | None: ...
    @property
    def azure_authority_host(self) -> str: ...


def compile_options(settings: Settings, env: Mapping[str, str]) -> CompileOptions:
    """The options without hooks for other layers; `env` is what `${…}` is filled in from."""
    return CompileOptions(
        env=env,
        api_prefix=settings.api_prefix,
        service_timeout_s=settings.service_timeout_s,
        providers=azure_providers(
            settings.azure_tenant_id, settings.azure_client_id, authority=settings.azure_authority_host
        ),
        read_secret=read_secret,
        traffic=_traffic(settings),
    )


def _traffic(settings: Settings) -> TrafficDefaults:
    return TrafficDefaults(
        load_balancing=cast("Balancing", settings.load_balancing_strategy),
        zone=settings.zone,
        breaker=BreakerPolicy(
            failure_threshold=settings.circuit_breaker_failure_threshold,
            recovery_timeout_s=settings.circuit_breaker_timeout_seconds,
            half_open_timeout_s=settings.circuit_breaker_retry_timeout,
        ),
        breaks_everywhere=settings.breaks_everywhere,
        breaks=settings.circuit_breaker_enabled,
        limits=settings.enable_rate_limiting,
        faults=settings.fault_injection,
        quotas=tuple(_quotas(settings)),
        cors=default_cors(settings.cors_allowed_origins),
    )


def _quotas(settings: Settings) -> Iterator[QuotaPolicy]:
    """What routes count against that name no quota. Names with a space cannot be those of the document's."""
    if limit := settings.rate_limit_default:
        yield QuotaPolicy("per minute", limit, 60.0)
    if limit := settings.rate_limit_per_second:
        yield QuotaPolicy("per second", limit, 1.0, burst=settings.rate_limit_burst or 0)
    if limit := settings.rate_limit_requests:
        window_s = float(settings.rate_limit_window_seconds or 60)
        yield QuotaPolicy("per window", limit, window_s, algorithm="sliding_window")
