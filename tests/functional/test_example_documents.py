"""Every console line of the documents, run on a fresh checkout beside the gateway that it speaks of."""

import shutil
from pathlib import Path

import pytest

from gateway_project.examples import EXAMPLES, USUAL_URL
from tests.support.consoles import Script, answered, shell
from tests.support.process import ROOT, Running, Site

FILES = (
    *sorted(file for file in (ROOT / "docs").glob("*.md") if "make example" in file.read_text()),
    *sorted(EXAMPLES.glob("*/README.md")),
)
SCRIPTS = [
    pytest.param(
        script,
        id=f"{file.relative_to(ROOT)}-{number}",
        marks=[pytest.mark.rabbitmq] if "MESSAGE_HUB_URL" in script.env else [],
    )
    for file in FILES
    for number, script in enumerate(Script.all_of(file))
    if script.system
]


@pytest.mark.timeout(300)  # seconds; dozens of lines
@pytest.mark.parametrize("script", SCRIPTS)
async def test_lines_answer_what_is_shown(script: Script, tmp_path: Path, migrated_database: str) -> None:
    """Each line in turn, in one shell; a revocation may take its second.

    The tables are there already: the documents that begin with `make run` begin with nothing.
    """
    var_dir = tmp_path / "var" / "examples" / script.system
    var_dir.mkdir(parents=True)
    shutil.copyfile(migrated_database.removeprefix("sqlite:///"), var_dir / "torana.sqlite3")
    site = Site(tmp_path, {"DATABASE_URL": "", "VAR_DIR": str(var_dir)} | script.env)
    wrong = []
    async with site.forked("quickstart", "--example", script.system) as running:
        url = await started(running)
        env = {name: value for name, value in site.environ().items() if name != "VAR_DIR"}
        async with shell(tmp_path, env) as bash:
            for step in script.steps:
                answer = await answered(bash, step, USUAL_URL, url)
                if not step.is_answered_by(answer):
                    wrong.append(f"$ {step.command}\n--- shown\n{step.shown}--- answered\n{answer}\n")
    assert not wrong, "\n".join(wrong)


async def started(running: Running) -> str:
    """Its URL, once all that it has to say has been said."""
    await running.said("Ctrl-C stops it")
    return (await running.said(r"Torana is at (http://\S+)"))[1]
