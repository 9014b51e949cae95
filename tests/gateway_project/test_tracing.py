"""Traces of one worker, by its settings."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from authproxy.tracing import Sampling
from gateway_project import tracing
from gateway_project.tracing import Tracing, resource_of, sampling_of
from gateway_project.variables import Secret
from observability.metrics.samples import Samples
from observability.traffic.recorder import Recorder

NAMED: dict[str, Any] = {"otel_endpoint": Secret("http://127.0.0.1:9")}


def tracing_of(**config: Any) -> Tracing:
    return Tracing(replace(settings.CONFIG, **config), Recorder(), version="1", worker="w")


@pytest.mark.parametrize("config", [{}, {**NAMED, "telemetry": False}])
async def test_nothing_unless_configured(config: dict[str, Any]) -> None:
    """No thread, no sink, no span ids of our own, and no word of it in metrics and health."""
    found, samples = tracing_of(**config), Samples()
    found.start()
    found.read(samples)
    await found.stop()

    assert (found.spans, found.export, found.counts, found.dropped) == (None, None, None, 0)


def test_a_missing_library_is_said_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway serves without traces."""
    monkeypatch.setattr(tracing, "missing_library", lambda: "it is missing")
    found = tracing_of(**NAMED)

    assert found.export is None
    assert found.spans is None
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: it is missing. No traces are exported." in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.parametrize(
    ("sampler", "sampling"),
    [
        ("always_on", Sampling(1.0, follows=False)),
        ("parentbased_always_off", Sampling(0.0)),
        ("parentbased_traceidratio", Sampling(0.25)),
    ],
)
def test_samplers(sampler: str, sampling: Sampling) -> None:
    assert sampling_of(sampler, 0.25) == sampling


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({}, "torana"),
        ({"otel_attributes": (("service.name", Secret("given")), ("team", Secret("a")))}, "given"),
        ({"otel_attributes": (("service.name", Secret("given")),), "otel_service_name": "own"}, "own"),
    ],
)
def test_names(config: dict[str, Any], name: str) -> None:
    """As the OpenTelemetry specification orders them."""
    found = resource_of(replace(settings.CONFIG, service_name="torana", **config), "1", "w")

    assert found["service.name"] == name
    assert (found["service.version"], found["service.instance.id"]) == ("1", "w")
