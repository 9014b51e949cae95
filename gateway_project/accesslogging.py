"""D: The access log of one worker, put together from the settings: ACCESS_LOG and its companions."""

import asyncio

from gateway_project.config import GatewayConfig
from gateway_project.server.context import REFUSAL_LISTENERS
from gateway_project.server.refusals import Refusal
from observability.accesslog.line import Rules
from observability.accesslog.writer import AccessLog
from observability.traffic.recorder import Recorder

OFF = "off"


class AccessLogging:
    """One worker's; it does nothing where ACCESS_LOG is off."""

    def __init__(self, config: GatewayConfig, recorder: Recorder) -> None:
        self._log = (
            None if config.access_log.lower() == OFF else AccessLog(config.access_log, rules_of(config))
        )
        if self._log is not None:
            recorder.watch(self._log)
            recorder.subscribe(self._log)

    @property
    def dropped(self) -> int:
        """Lines that nobody will read."""
        return 0 if self._log is None else self._log.dropped

    def start(self) -> None:
        """Begins to write. Requests that the server refuses are among them."""
        if self._log is not None:
            self._log.start()
            REFUSAL_LISTENERS.append(self._refused)

    async def stop(self) -> None:
        """Writes what waits, in bounded time."""
        if self._log is not None:
            if self._refused in REFUSAL_LISTENERS:
                REFUSAL_LISTENERS.remove(self._refused)
            await asyncio.to_thread(self._log.stop)

    def _refused(self, refusal: Refusal, client: str, request_id: str) -> None:
        if self._log is not None:
            self._log.refused(client, refusal.status, refusal.code, request_id)


def rules_of(config: GatewayConfig) -> Rules:
    """What is written of requests, and what is not."""
    return Rules(
        sample=config.access_log_sample,
        query=config.access_log_query,
        hide=frozenset(name.lower() for name in config.access_log_hide),
        hide_paths=config.access_log_hide_paths,
        headers=tuple(name.lower().encode("latin-1", "replace") for name in config.access_log_headers),
    )
