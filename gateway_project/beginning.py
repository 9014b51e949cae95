"""I: What a start with an example begins before Django is imported, so that all processes see one environment.

Settings are read once, by the process that prepares the database; the worker and the services go on as forks of it. So
the addresses of the services and of the store are known before.
"""

import signal
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from gateway_project import examples, standby
from gateway_project.config import GatewayConfig, load_config
from gateway_project.embedded import start_valkey
from gateway_project.examples import Example
from gateway_project.server.forks import can_fork
from gateway_project.server.ports import keep_port
from gateway_project.standby import Standby


@dataclass(slots=True)
class Beginning:
    """`addresses` are those of services to start, by variable; `waiting` are the services' processes, by name."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    waiting: dict[str, Standby] = field(default_factory=dict)
    has_store: bool = False
    """Whether it has seen to the store: nobody else need start one."""


_current = Beginning()
_is_interrupted = False


def current() -> Beginning:
    """That of this process; an empty one where nothing was begun."""
    return _current


def heed_interrupt() -> None:
    """Raises KeyboardInterrupt if Ctrl-C was pressed since the start began; an import may have caught it."""
    if _is_interrupted:
        raise KeyboardInterrupt


@contextmanager
def _interruptible() -> Iterator[None]:
    global _is_interrupted

    def note(_number: int, _frame: FrameType | None) -> None:
        global _is_interrupted
        _is_interrupted = True
        raise KeyboardInterrupt

    before, _is_interrupted = signal.signal(signal.SIGINT, note), False
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _is_interrupted = False


@contextmanager
def begun(arguments: Sequence[str], environ: MutableMapping[str, str]) -> Iterator[None]:
    """Around the command that `arguments` name; does something for a `quickstart` alone, and adds to `environ` then.

    Raises ConfigError.
    """
    example = examples.asked(arguments)
    if example is None:
        yield
        return
    global _current
    environ.update(examples.brought(example, environ))
    before, config = _current, load_config(environ)
    addresses = addresses_of(example, environ)
    with _interruptible(), _store(config, environ):
        _current = Beginning(addresses, _standing_by(example, addresses), has_store=True)
        environ.update(addresses)
        try:
            yield
        finally:
            for each in _current.waiting.values():
                each.dismiss()
            _current = before


@contextmanager
def _store(config: GatewayConfig, environ: MutableMapping[str, str]) -> Iterator[None]:
    """Runs the embedded server where no other is configured."""
    server = start_valkey(config.var_dir) if config.redis.mode == "embedded" else None
    if server is not None:
        environ["REDIS_URL"] = server.url
    try:
        yield
    finally:
        if server is not None:
            server.stop()


def addresses_of(example: Example, environ: Mapping[str, str]) -> dict[str, str]:
    """Where each upstream is to listen, by variable: its usual port, or a free one.

    A variable that is set already is somebody's own upstream and is left alone.
    """
    found: dict[str, str] = {}
    for upstream in example.upstreams:
        if upstream.variable and upstream.variable not in environ:
            found[upstream.variable] = f"http://127.0.0.1:{keep_port(upstream.port)}"
    return found


def _standing_by(example: Example, addresses: Mapping[str, str]) -> dict[str, Standby]:
    """A process for each service that this start runs."""
    wanted = [
        each.name
        for each in example.upstreams
        if (not each.variable or each.variable in addresses) and standby.is_known(each.command)
    ]
    if not (wanted and can_fork()):
        return {}
    if example.is_system:
        standby.import_shared()
    return {name: Standby() for name in wanted}
