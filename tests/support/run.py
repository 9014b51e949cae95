"""I: The whole suite: every test on SQLite, then those marked `store` again on a real PostgreSQL.

Run by `make test`; arguments go to pytest. Tests of whole systems have limits in seconds, which neighbours can make
them miss: a few that fail are run once more, alone, and are named whatever they do then.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.databases import migrated_database, postgres, redis

ROOT = Path(__file__).resolve().parents[2]
PROCESSORS = len(os.sched_getaffinity(0))
# One more than processors, as tests of whole processes wait half of their time; with more, some come too late.
WORKERS = str(min(PROCESSORS + 1, 8))
# A neighbour is to blame for a few at most. More that fail are a fault of the code, or of the tests.
AGAIN = 5


def main(arguments: list[str]) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with redis() as (redis_url, redis_is), tempfile.TemporaryDirectory(prefix="torana-pyc-") as compiled:
        if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
            environment["PYTHONPYCACHEPREFIX"] = compiled  # else each of hundreds of processes compiles anew
        environment["TEST_REDIS_URL"] = redis_url
        if not arguments:
            compile_all(environment)
        say(f"every test; rows in SQLite, Redis is {redis_is}")
        with migrated("") as tables:
            first = run([*arguments], environment | tables)
        with postgres() as (url, postgres_is), migrated(url) as tables:
            say(f"tests of the stores; rows in PostgreSQL, {postgres_is}")
            files = [] if arguments else files_with("mark.store")
            second = run(["-m", "store", *arguments, *files], environment | tables | {"DATABASE_URL": url})
    if arguments and second == pytest.ExitCode.NO_TESTS_COLLECTED:
        second = 0  # a selection need not touch a store
    return first or second


@contextlib.contextmanager
def migrated(server: str) -> Iterator[dict[str, str]]:
    """Where the processes of a run find a database to copy, as their environment says it."""
    with (
        tempfile.TemporaryDirectory(prefix="torana-migrated-") as folder,
        migrated_database(Path(folder), server) as url,
    ):
        yield {"TEST_MIGRATED_URL": url}


def files_with(text: str) -> list[str]:
    """The test files that say so: whoever collects all needs ten seconds of each worker."""
    return [str(file) for file in sorted((ROOT / "tests").rglob("test_*.py")) if text in file.read_text()]


def compile_all(environment: dict[str, str]) -> None:
    """Has pytest rewrite every test file once, if that has not been done; else each worker would do so by itself."""
    files = files_with("")
    caches = Path(environment.get("PYTHONPYCACHEPREFIX") or ROOT / "tests")
    if any(caches.rglob("test_*-pytest-*.pyc")):
        return
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    under_way = [
        subprocess.Popen([*command, *files[part::PROCESSORS]], env=environment, stdout=subprocess.DEVNULL)
        for part in range(PROCESSORS)
    ]
    for process in under_way:
        process.wait()


def run(arguments: list[str], environment: dict[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="torana-cache-") as cache:
        kept = ["-o", f"cache_dir={cache}"]
        code = pytest_run(["-n", WORKERS, "--dist", "worksteal", *kept, *arguments], environment)
        failed = failed_of(Path(cache))
        if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= AGAIN:
            return code
        say("once more, alone:\n    " + "\n    ".join(failed))
        return pytest_run([*kept, *failed], environment)


def failed_of(cache: Path) -> list[str]:
    """What pytest would repeat with --last-failed."""
    names = cache / "v/cache/lastfailed"
    return sorted(json.loads(names.read_text())) if names.exists() else []


def pytest_run(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode


def say(text: str) -> None:
    sys.stdout.write(f"\n==> {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
