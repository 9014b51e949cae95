"""I: The whole suite: every test on SQLite, then those marked `store` again on a real PostgreSQL.

Run by `make test`; arguments go to pytest.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.databases import postgres, redis

WORKERS = "2"


def main(arguments: list[str]) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with redis() as (redis_url, redis_is):
        environment["TEST_REDIS_URL"] = redis_url
        say(f"every test; rows in SQLite, Redis is {redis_is}")
        first = run([*arguments], environment)
        with postgres() as (url, postgres_is):
            say(f"tests of the stores; rows in PostgreSQL, {postgres_is}")
            second = run(["-m", "store", *arguments], {**environment, "DATABASE_URL": url})
    if arguments and second == pytest.ExitCode.NO_TESTS_COLLECTED:
        second = 0  # a selection need not touch a store
    return first or second


def run(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", WORKERS, *arguments], env=environment
    ).returncode


def say(text: str) -> None:
    sys.stdout.write(f"\n==> {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
