"""I: Torana itself: serving a document file, or a database that documents are applied to."""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import documents
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.processes import HOST, environment

ROOT = Path(__file__).resolve().parent.parent.parent
READY_PATH = "/health/ready"


def write_document(path: Path, document: Mapping[str, Any]) -> Path:
    """JSON, which is YAML too and a hundred times faster to write."""
    path.write_text(json.dumps(document))
    return path


def settings_of(folder: Path, *, redis: bool = False) -> dict[str, str]:
    """Environment of one independent gateway; without redis everything stays in the process."""
    own = {"VAR_DIR": str(folder), "ENVIRONMENT": "development", "LOG_LEVEL": "WARNING"}
    return own if redis else {**own, "REDIS_URL": "none"}


def serve_command(port: int, *options: str, host: str = HOST) -> tuple[str, ...]:
    return (sys.executable, "manage.py", "gateway", "serve", "--host", host, "--port", str(port), *options)


def serving(document: Mapping[str, Any], site: Site) -> Launch:
    """One worker that serves the document with no database."""
    file = write_document(site.folder / "document.yaml", document)
    return Launch(serve_command(site.port, "--revision", str(file)), settings_of(site.folder), READY_PATH)


def manage(
    folder: Path,
    *arguments: str,
    redis: bool = False,
    core: int | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Run a management command to its end, behind everything else in the queue for its core; its stdout."""
    command = pinned(("nice", "-n", "19", sys.executable, "manage.py", *arguments), core)
    env = environment(folder, {**settings_of(folder, redis=redis), **(more or {})})
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        raise BenchmarkError(f"manage.py {arguments[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _bare(site: Site) -> Launch:
    return serving(documents.bare(site.upstream_port), site)


def _version() -> str:
    packages = ("uvicorn", "uvloop", "httptools")
    return "this checkout, " + ", ".join(f"{package} {version(package)}" for package in packages)


TORANA = Peer("Torana", _bare, _version)
