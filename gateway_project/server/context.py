"""I: What all client connections of one worker share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway_project.server.cycle import RequestCycle
from gateway_project.server.deadlines import Sweeper
from gateway_project.server.draining import DrainState
from gateway_project.server.limits import ServerLimits
from gateway_project.server.refusals import Refusal

logger = logging.getLogger(__name__)

RefusalListener = Callable[[Refusal, str, str], None]
"""Is told the refusal, the client's address and the request id."""

REFUSAL_LISTENERS: list[RefusalListener] = []
"""Requests that the server refuses never reach the application: access log and metrics subscribe here."""


class ServerContext:
    def __init__(self, limits: ServerLimits, drain: DrainState, loop: asyncio.AbstractEventLoop) -> None:
        self.limits = limits
        self.drain = drain
        self.loop = loop
        self.sweeper = Sweeper(loop, limits.sweep_period_s)
        self.draining_since_s = 0.0
        self.good_hosts: set[bytes] = set()
        self._held: list[RequestCycle] = []
        drain.on_begin(self._note_draining)

    def _note_draining(self) -> None:
        self.draining_since_s = self.loop.time()

    def hold_head(self, cycle: RequestCycle) -> None:
        """Keeps a response's head back until this turn of the loop ends, so that a body can go with it."""
        if not self._held:
            self.loop.call_soon(self._flush_heads)
        self._held.append(cycle)

    def _flush_heads(self) -> None:
        held, self._held = self._held, []
        for cycle in held:
            cycle.flush_head()

    def tell_refusal(self, refusal: Refusal, client: str, request_id: str) -> None:
        for listener in REFUSAL_LISTENERS:
            try:
                listener(refusal, client, request_id)
            except Exception:
                logger.exception("A refusal listener failed")
