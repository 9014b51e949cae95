"""D: Traces of one worker's requests, put together from the settings: OTEL_EXPORTER_OTLP_ENDPOINT and the others."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Final

from authproxy.tracing import Sampling, Spans
from gateway_project.accesslogging import rules_of
from gateway_project.config import GatewayConfig
from observability.metrics import catalogue as names
from observability.metrics.samples import Samples
from observability.tracing.export import TraceExport
from observability.tracing.otlp import Sender, missing_library
from observability.traffic.recorder import Recorder

_log: Final = logging.getLogger(__name__)


class Tracing:
    """It does nothing where no collector is named, where telemetry is off, or where the library is missing."""

    def __init__(self, config: GatewayConfig, recorder: Recorder, *, version: str, worker: str) -> None:
        self.spans: Spans | None = None
        """For the pipeline."""
        self.export: TraceExport | None = None
        if not (config.otel_endpoint and config.telemetry):
            return
        if why := missing_library():
            _log.error("OTEL_EXPORTER_OTLP_ENDPOINT: %s. No traces are exported.", why)
            return
        made = partial(
            Sender, config.otel_endpoint, dict(config.otel_headers), resource_of(config, version, worker)
        )
        self.spans = Spans(sampling_of(config.otel_sampler, config.otel_sampler_share))
        self.export = TraceExport(made, rules_of(config), Random())  # noqa: S311 - ids are names, not secrets
        recorder.watch(self.export)

    @property
    def dropped(self) -> int:
        """Requests whose spans nobody will see."""
        return 0 if self.export is None else self.export.dropped

    @property
    def counts(self) -> Callable[[], Mapping[str, int]] | None:
        """For detailed health; None where nothing is exported."""
        export = self.export
        return None if export is None else lambda: export.counts

    def read(self, into: Samples) -> None:
        """For `/metrics`."""
        if self.export is not None:
            into.put(names.SPANS, self.export.exported, "exported")
            into.put(names.SPANS, self.export.failed, "failed")

    def start(self) -> None:
        """Begins to send."""
        if self.export is not None:
            self.export.start()

    async def stop(self) -> None:
        """Sends what waits, in bounded time."""
        if self.export is not None:
            await asyncio.to_thread(self.export.stop)


def sampling_of(sampler: str, share: float) -> Sampling:
    """By the words of OTEL_TRACES_SAMPLER."""
    root = sampler.removeprefix("parentbased_")
    shares = {"always_on": 1.0, "always_off": 0.0, "traceidratio": share}
    return Sampling(shares[root], follows=root != sampler)


def resource_of(config: GatewayConfig, version: str, worker: str) -> dict[str, str]:
    """What traces say of it. OTEL_SERVICE_NAME wins over OTEL_RESOURCE_ATTRIBUTES, and those over SERVICE_NAME."""
    own = {
        "service.name": config.service_name,
        "service.version": version,
        "service.instance.id": worker,
        "deployment.environment.name": config.environment,
    }
    named = {"service.name": config.otel_service_name} if config.otel_service_name else {}
    return {**own, **{name: str(value) for name, value in config.otel_attributes}, **named}
