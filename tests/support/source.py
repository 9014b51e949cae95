"""I: The project's own source, as the architecture tests look at it."""

import ast
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


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def role(path: Path) -> str:
    """The tag in the first line of the module's docstring: P, I or D; empty where there is none."""
    docstring = ast.get_docstring(parsed(path)) or ""
    tag, colon, _ = docstring.partition(": ")
    return tag if colon and tag in ("P", "I", "D") else ""


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def imports(path: Path) -> set[str]:
    """Dotted names that the module imports when it runs; those for type checkers only are left out."""
    found: set[str] = set()
    pending: list[ast.AST] = [parsed(path)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return found


def file_of(dotted: str) -> Path | None:
    """The file of one of our modules by its dotted name; None for a name inside a module, or a foreign one."""
    path = ROOT.joinpath(*dotted.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)
