"""Every console line of the documents that begin with `make run`, one after another beside one gateway."""

import re
import socket
import time
from pathlib import Path

import pytest

from gateway_project.examples import USUAL_URL
from tests.support.consoles import Script, Shell, answered, saved, shell
from tests.support.process import ROOT, Site
from tests.support.source import shown

QUICK_START = ROOT / "docs" / "quick-start.md"
FILES = (QUICK_START, *sorted(file for file in (ROOT / "docs").glob("*.md") if file != QUICK_START))
SCRIPTS = [
    (file, script) for file in FILES for script in Script.all_of(file) if not script.system and script.steps
]
PORTS = re.compile(r"\b9[23]00\b")
FIVE_MINUTES_S = 300


@pytest.mark.timeout(600)  # seconds; about a hundred lines
async def test_lines_answer_what_is_shown(tmp_path: Path) -> None:
    """As a newcomer types them; the quick start comes first, and is five commands."""
    site = Site(tmp_path, {"DATABASE_URL": "", "REDIS_URL": ""})  # its own, as newcomers have them
    ports: dict[str, str] = {}
    wrong: list[str] = []
    began = time.monotonic()
    assert SCRIPTS[0][0] == QUICK_START
    assert 1 + len(SCRIPTS[0][1].steps) == 5

    def elsewhere(text: str) -> str:
        """On a port that is free here."""
        return PORTS.sub(lambda found: ports.setdefault(found[0], str(free_port())), text)

    for file in FILES:
        for name, text in saved(file).items():
            (tmp_path / name).write_text(elsewhere(text))
    async with site.running("quickstart") as running:
        await running.said("Ctrl-C stops it")
        url = (await running.said(r"Torana is at (http://\S+)"))[1]
        async with shell(tmp_path, site.environ()) as bash:
            for file, script in SCRIPTS:
                for step in script.steps:
                    answer = await answered(bash, step.moved(elsewhere), USUAL_URL, url)
                    if not step.is_answered_by(answer):
                        wrong.append(
                            f"{shown(file)}: $ {step.command}\n--- shown\n{step.shown}--- answered\n{answer}\n"
                        )
                if file == QUICK_START:
                    assert time.monotonic() - began < FIVE_MINUTES_S
            await ended(bash)
    assert not wrong, "\n".join(wrong)


def free_port() -> int:
    """Nobody listens there now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def ended(bash: Shell) -> None:
    """What lines left running in the background."""
    await bash.run("kill $(jobs -p) 2>/dev/null; wait")
