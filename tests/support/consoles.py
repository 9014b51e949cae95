"""I: The console lines of a document, run in one shell, beside what the document shows for them.

A file that the document has its reader save is a block with its name as title, such as ```yaml title="mine.yaml".
A step is a line that begins with `$ `, with the lines that a backslash joins to it; what follows up to the next one
is the answer, in which `…` stands for anything. Space does not count. No answer shown: any answer will do.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.support import warm
from tests.support.process import PATIENCE_S, ROOT

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
_FILE = re.compile(r'^```\w+ title="([\w.-]+)"\n(.*?)^```', re.M | re.S)
_STEP = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.M)
_MARK = "that was it:"
_START = re.compile(r"(?:(\w+)=(\S+) )?make (?:run|example SYSTEM=([\w-]+))$")


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what the document shows as its answer."""

    command: str
    shown: str

    def is_answered_by(self, answer: str) -> bool:
        """Whether the answer is what the document shows."""
        if not self.shown:
            return True
        parts = ("".join(part.split()) for part in self.shown.split("…"))
        return bool(re.fullmatch(".*".join(map(re.escape, parts)), "".join(answer.split()), re.S))

    def moved(self, change: Callable[[str], str]) -> Self:
        """The same with other texts."""
        return replace(self, command=change(self.command), shown=change(self.shown))


@dataclass(frozen=True, slots=True)
class Script:
    """The steps that follow one `make example` or `make run` line, up to the next."""

    system: str
    """The example system; empty: the demo of `make run`."""
    env: dict[str, str]
    steps: tuple[Step, ...]

    @classmethod
    def all_of(cls, file: Path) -> list[Self]:
        """In the document's order; lines before the first start belong to none."""
        found: list[Self] = []
        for block in _BLOCK.findall(file.read_text()):
            for command, shown in _STEP.findall(block):
                if start := _START.match(command):
                    name, value, system = start.groups("")
                    found.append(cls(system, {name: value} if name else {}, ()))
                elif found:
                    last = found.pop()
                    found.append(cls(last.system, last.env, (*last.steps, Step(command, shown))))
        return found


def saved(file: Path) -> dict[str, str]:
    """What the document has its reader save, by the file's name."""
    return dict(_FILE.findall(file.read_text()))


# Where a line says `python manage.py` it is a fork of a process that waits, which saves a second each time. What goes
# on in the background is a process as it stands, so that `kill` reaches it.
_WARM = """python() {{
if [ "$1" = manage.py ] && [ "$3" != serve ]; then shift; command python -IS {client} {address} {manage} "$@"
else command python "$@"; fi; }}"""


class Shell:
    """A bash that goes on from line to line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, command: str) -> str:
        """What the command printed, on either stream."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{command}\nprintf '\\n{_MARK} %s\\n' $?\n".encode())
        answer = ""
        async with asyncio.timeout(2 * PATIENCE_S):
            while line := (await stdout.readline()).decode():
                if line.startswith(_MARK):
                    return answer.strip()
                answer += line
        raise AssertionError(f"the shell ended: {answer}")


async def answered(bash: Shell, step: Step, usual_url: str, url: str) -> str:
    """What a line answers; one that waits a second is patient beyond that, as this machine may be busy."""
    for _ in range(10 if step.command.startswith("sleep 1;") else 1):
        answer = (await bash.run(step.command.replace(usual_url, url))).replace(url, usual_url)
        if step.is_answered_by(answer):
            break
    return answer


@asynccontextmanager
async def shell(folder: Path, env: dict[str, str]) -> AsyncIterator[Shell]:
    """A shell in a folder that looks like a checkout whose environment is installed; `var/` is its own."""
    for entry in ROOT.iterdir():
        if entry.name not in ("var", ".venv", ".git"):
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv").symlink_to(sys.prefix)
    process = await asyncio.create_subprocess_exec(
        "bash",
        "--norc",
        cwd=folder,
        env={**env, "PATH": f"{_programs(folder)}{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    opened = Shell(process)
    try:
        await opened.run(_WARM.format(client=warm.WARMLY, address=warm.address(), manage=warm.MANAGE))
        yield opened
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def _programs(folder: Path) -> str:
    """What goes in front of PATH: our own curl, where the machine has none."""
    if shutil.which("curl"):
        return ""
    programs = folder / "programs"
    programs.mkdir()
    curl = programs / "curl"
    curl.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/support/curl.py "$@"\n')
    curl.chmod(0o755)
    return f"{programs}:"
