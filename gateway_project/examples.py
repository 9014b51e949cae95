"""I: The demo and the example systems: each a document, the services that it leads to, and lines to try.

An example is a folder of `examples/` with `gateway.yaml` and `README.md` (whose second block of console lines is what
to try). A whole system has `system.yaml` beside them, which says more (see `examples/README.md`); without it,
`upstreams.py` serves any of the document's services: `NAME --port PORT`.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway_project import secretfile, systemfile
from gateway_project.config import BASE_DIR, DEFAULT_VAR_DIR, SERVICE_URL_SUFFIX
from gateway_project.systemfile import AccountEntry, ConsumerEntry, ServiceEntry, SystemFault, SystemFile
from routing.document.yaml import parse_text

EXAMPLES: Final = BASE_DIR / "examples"
SYSTEM_FILE: Final = "system.yaml"
USUAL_URL: Final = "http://127.0.0.1:8000"
_CONSOLE: Final = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
_COMMAND: Final = re.compile(r"^\$ (.*)$", re.M)


class UnknownExample(Exception):  # noqa: N818 - a refusal, told in one sentence
    """There is no example of that name; str(error) says which there are."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service to run: what to start, and the variable that tells the gateway where it is."""

    name: str
    variable: str  # nothing: it does not listen
    command: tuple[str, ...]  # the interpreter's arguments, without the port
    port: int = 0  # the usual one; 0: any that is free
    ready: str = ""  # a path that answers once it can work
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """`lines` are for a shell, with USUAL_URL where the gateway's address belongs."""

    name: str
    document: Path
    services: tuple[str, ...]
    upstreams: tuple[Upstream, ...]
    lines: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[AccountEntry, ...] = ()
    consumers: tuple[ConsumerEntry, ...] = ()

    @property
    def is_system(self) -> bool:
        """Whether it is a whole system, whose services are real servers."""
        return (self.document.parent / SYSTEM_FILE).exists()

    def lines_at(self, url: str) -> list[str]:
        """The lines for a gateway at that address."""
        return [line.replace(USUAL_URL, url).replace(_socket(USUAL_URL), _socket(url)) for line in self.lines]


def _socket(url: str) -> str:
    return url.replace("http", "ws", 1)


def names() -> list[str]:
    """The example systems that there are."""
    return sorted(file.parent.name for file in EXAMPLES.glob("*/gateway.yaml"))


def named(name: str) -> Example:
    """The example of that name; raises UnknownExample, and SystemFault for a system.yaml that is not one."""
    if name not in names():
        said = f"there is no example {name!r}" if name else "which example? Say SYSTEM=NAME"
        raise UnknownExample(f"{said}; there are: {', '.join(names())}")
    folder = EXAMPLES / name
    document = parse_text((folder / "gateway.yaml").read_text(encoding="utf-8"))
    services = tuple(service["name"] for service in document["services"])
    system = _system(folder, services)
    return Example(
        name=name,
        document=folder / "gateway.yaml",
        services=services,
        upstreams=tuple(_upstream(entry) for entry in system.services),
        lines=system.lines or _lines((folder / "README.md").read_text(encoding="utf-8")),
        environment=system.environment,
        accounts=system.accounts,
        consumers=system.consumers,
    )


def asked(arguments: Sequence[str]) -> Example | None:
    """The example that a command line starts; None where it starts none, or one that the command will refuse."""
    if arguments[:1] != ["quickstart"] or {"-h", "--help"} & {*arguments}:
        return None
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--example")
    try:
        name = parser.parse_known_args(arguments[1:])[0].example
        return DEMO if name is None else named(name)
    except (argparse.ArgumentError, UnknownExample, SystemFault):
        return None


def brought(example: Example, environ: Mapping[str, str]) -> dict[str, str]:
    """What the example has in its environment beyond this one; to be asked before settings are read.

    Where its secret cannot be kept, which settings say, nothing is brought.
    """
    try:
        return lacking(example, environ, Path(environ.get("VAR_DIR") or DEFAULT_VAR_DIR))
    except OSError:
        return {}


def lacking(example: Example, environ: Mapping[str, str], var_dir: Path) -> dict[str, str]:
    """What the example's environment has beyond this one.

    A secret in it is the one that this VAR_DIR has anyway, so that commands beside the gateway have the same.
    """
    found = {name: value for name, value in example.environment.items() if name not in environ}
    if any(map(systemfile.wants_secret, found.values())):
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret = secretfile.load_or_create(var_dir)
        found = {name: systemfile.with_secret(value, secret) for name, value in found.items()}
    return found


def _system(folder: Path, services: tuple[str, ...]) -> SystemFile:
    """What system.yaml says or, where there is none, one program for all services."""
    file = folder / SYSTEM_FILE
    if not file.exists():
        command = ("-m", f"examples.{folder.name}.upstreams")
        return SystemFile(
            services=tuple(ServiceEntry(name=name, command=(*command, name)) for name in services)
        )
    try:
        return systemfile.read(parse_text(file.read_text(encoding="utf-8")))
    except SystemFault as error:
        raise SystemFault(f"{file}: {error}") from error


def _upstream(entry: ServiceEntry) -> Upstream:
    usual = entry.name.upper().replace("-", "_") + SERVICE_URL_SUFFIX
    variable = entry.variable or usual
    return Upstream(
        name=entry.name,
        variable=variable if entry.listens else "",
        command=entry.command,
        ready=entry.ready,
        environment=entry.environment,
    )


def _lines(readme: str) -> tuple[str, ...]:
    blocks = _CONSOLE.findall(readme)
    return tuple(_COMMAND.findall(blocks[1])) if len(blocks) > 1 else ()


def _of_demo(name: str, kind: str, variable: str, port: int) -> Upstream:
    script = str(EXAMPLES / "demo_upstreams.py")
    return Upstream(name, variable, (script, kind, "--name", name), port)


DEMO: Final = Example(
    name="demo",
    document=EXAMPLES / "demo.yaml",
    services=("demo-orders", "demo-echo"),
    upstreams=(
        _of_demo("orders-a", "orders", "DEMO_ORDERS_A", 9101),
        _of_demo("orders-b", "orders", "DEMO_ORDERS_B", 9102),
        _of_demo("echo", "echo", "DEMO_ECHO", 9103),
    ),
    lines=(
        f"curl -i {USUAL_URL}/api/orders",
        f"curl -i '{USUAL_URL}/api/echo/anything?x=1' -d hello",
        f"curl -i {USUAL_URL}/api/hello",
    ),
)
