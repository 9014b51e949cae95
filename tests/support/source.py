"""I: The project's own source, as the architecture tests look at it."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway_project.config import BASE_DIR as ROOT

PACKAGES = ("gateway_project", "observability", "realtime", "authproxy", "routing", "resilience")
# Written by tools, so that no rule about hand-written text applies.
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock", "requirements-docs.lock")
SBOM_LOCK = "requirements-sbom.lock"
"""A tool that never meets the gateway's packages."""


@cache
def tracked() -> tuple[Path, ...]:
    """The repository's files; without git, every file that is not hidden, built or in a virtual environment."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        paths = [ROOT / name for name in names.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not _is_left_out(path.relative_to(ROOT))]
    return tuple(sorted(path for path in paths if path.is_file()))


def _is_left_out(path: Path) -> bool:
    hidden = any(part.startswith(".") and part != ".ci" for part in path.parts[:-1])
    return hidden or path.parts[0] == "var" or "__pycache__" in path.parts


@cache
def modules() -> tuple[Path, ...]:
    """Hand-written modules of the product, migrations left out."""
    return tuple(
        path
        for path in tracked()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in PACKAGES
        and "migrations" not in path.parts
        and (path.name != "__init__.py" or path.read_text().strip())
    )


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    """Not kept: the trees of all files are millions of objects, at which every garbage collection would look."""
    return ast.parse(path.read_text(), filename=str(path))


@cache
def role(path: Path) -> str:
    """The tag in the first line of the module's docstring: P, I or D; empty where there is none."""
    tag = re.match(r'"""([PID]): ', path.read_text())
    return tag[1] if tag else ""


@cache
def functions(path: Path) -> tuple[tuple[str, int], ...]:
    """(name, length in lines) of each, methods and functions in functions too."""
    return tuple(
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in statements(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def statements(tree: ast.AST, *, as_run: bool = False) -> Iterator[ast.AST]:
    """Every node but expressions, which most nodes are and none of which holds a statement.

    As run: what is only for type checkers is left out.
    """
    pending = [tree]
    while pending:
        node = pending.pop()
        if as_run and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        yield node
        pending.extend(each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr))


@cache
def imports(path: Path) -> set[str]:
    """Dotted names that the module imports when it runs; those for type checkers only are left out."""
    found: set[str] = set()
    for node in statements(parsed(path), as_run=True):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def file_of(dotted: str) -> Path | None:
    """The file of one of our modules by its dotted name; None for a name inside a module, or a foreign one."""
    path = ROOT.joinpath(*dotted.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)
