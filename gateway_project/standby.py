"""I: Services of an example as forks of its launcher, which wait to be told what they are.

What they all import is imported once, before Django; each then has only its own module to import.
"""

import importlib
import json
import os
import runpy
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway_project.config import BASE_DIR
from gateway_project.embedded import die_with_parent
from gateway_project.server.forks import Forked, fork, show_as

SHARED: Final = (
    "fastapi",
    "httpx",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)
"""What services of whole systems import. One that is not installed is somebody else's to miss."""


class Standby:
    """One that waits. It is to be told or dismissed, and ends by itself with its parent."""

    def __init__(self) -> None:
        read, self._write = os.pipe()
        try:
            self._process = fork(lambda: _wait(read), keep=(read,), environ=os.environ)
        finally:
            os.close(read)

    def become(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Forked:
        """Runs what `python COMMAND` would, `is_known(command)` provided. One that has ended already stays so."""
        told = json.dumps([name, [*command], {**environ}]).encode()
        with suppress(BrokenPipeError), os.fdopen(self._write, "wb") as file:
            file.write(told)
        return self._process

    def dismiss(self) -> None:
        """It ends; this waits for it."""
        os.close(self._write)
        self._process.wait()


def is_known(command: Sequence[str]) -> bool:
    """Whether a fork can run it: `-m MODULE …` or `SCRIPT …`."""
    return bool(command) and (command[0] == "-m" or not command[0].startswith("-"))


def import_shared(modules: Iterable[str] = SHARED) -> None:
    """Before the first one is made to wait."""
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)


def _wait(read: int) -> int:
    """In the fork: runs what it is told, or nothing if nobody will tell."""
    if ask := die_with_parent():
        ask()
    with os.fdopen(read) as file:
        told = file.read()
    if told:
        name, command, environ = json.loads(told)
        _run(name, command, environ)
    return 0


def _run(name: str, command: list[str], environ: dict[str, str]) -> None:
    os.chdir(BASE_DIR)
    os.environ.clear()
    os.environ.update(environ)
    show_as(name)
    if command[0] == "-m":
        sys.path[0] = str(BASE_DIR)
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(command[0]).parent)
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
