"""I: One worker process: `python -m gateway_project.server.worker SPEC`, started by the supervisor.

It serves an ASGI application on inherited sockets until SIGTERM, or until its lifeline tells or fails.
"""

import asyncio
import gc
import importlib
import logging
import os
import signal
import socket
import sys
from typing import Any

import uvloop

from gateway_project.server.draining import DRAIN_STATE
from gateway_project.server.serving import GatewayServer, StartupFailed, server_config
from gateway_project.server.spec import READY, WorkerSpec

STARTUP_FAILED = 3
_COLLECT_AFTER = (10_000, 20, 20)
GIL_SWITCH_S = 0.0005  # Python's own is 5 ms, and the loop waits as long at every turn

logger = logging.getLogger(__name__)


def load_application(reference: str) -> Any:
    """`package.module:attribute`. Raises whatever importing it raises."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def run(spec: WorkerSpec) -> int:
    """Serves until told to leave; returns the exit status."""
    try:
        application = load_application(spec.app)
    except Exception as error:
        logger.debug("Loading %s failed", spec.app, exc_info=error)
        sys.stderr.write(f"torana: cannot load {spec.app}: {type(error).__name__}: {error}\n")
        return STARTUP_FAILED
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(application, spec))
    except StartupFailed as error:
        sys.stderr.write(f"torana: {error}\n")
        return STARTUP_FAILED
    except asyncio.CancelledError:  # told to leave while starting
        return STARTUP_FAILED
    return 0


async def _serve(application: Any, spec: WorkerSpec) -> None:
    loop = asyncio.get_running_loop()

    def tell_ready() -> None:
        # What is there now stays: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        os.write(spec.ready_fd, READY)
        os.close(spec.ready_fd)

    def leave() -> None:
        loop.remove_reader(spec.lifeline_fd)
        server.stop(grace=False)

    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # the supervisor says what is worth saying
    config = server_config(application, limits=spec.limits, drain=DRAIN_STATE)
    server = GatewayServer(config, DRAIN_STATE, times=spec.times, on_ready=tell_ready)
    loop.add_reader(spec.lifeline_fd, leave)
    await server.serve([socket.socket(fileno=fd) for fd in spec.listening_fds])


def tune_collector() -> None:
    """Makes the garbage collector look for what leaks, not at what is busy.

    Requests and connections free their memory by themselves. At Python's own thresholds a few requests in flight set
    off collections that find nothing: 135 ms at a time with eight thousand connections open.
    """
    gc.set_threshold(*_COLLECT_AFTER)


def work(spec: WorkerSpec) -> int:
    """All that a worker's process does; its exit status."""
    tune_collector()
    # A long computation in one of Django's threads must hand the interpreter back to the event loop soon.
    sys.setswitchinterval(GIL_SWITCH_S)
    # The supervisor decides what Ctrl-C and a hangup mean.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return run(spec)


if __name__ == "__main__":
    sys.exit(work(WorkerSpec.from_json(sys.argv[1])))
