"""The container image, read and tried as far as that goes without a container engine."""

import ast
import http.server
import os
import re
import subprocess
import sys
import threading

import pytest

from tests.support.source import PACKAGES, ROOT

TEXT = (ROOT / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.M))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def last_stage() -> dict[str, list[str]]:
    """The instructions of the image that is shipped, by their word."""
    stage: dict[str, list[str]] = {}
    for word, rest in instructions():
        if word == "FROM":
            stage = {}
        stage.setdefault(word, []).append(rest)
    return stage


def test_packages_come_from_a_stage_of_their_own() -> None:
    """Two stages on the Python that is supported; the second takes only the finished environment."""
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]

    assert bases == ["python:3.11-slim", "python:3.11-slim"]
    assert "--from=packages /opt/torana /opt/torana" in last_stage()["COPY"]
    assert not any("pip install" in rest for rest in last_stage()["RUN"])


def test_packages_are_the_locked_ones() -> None:
    """pip takes nothing whose hash is not in the lock file."""
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]

    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "-r /requirements.lock" in installs[0]


def test_gateway_does_not_run_as_root() -> None:
    """The user is made in the image, owns VAR_DIR alone, and is the last one set."""
    stage = last_stage()

    assert stage["USER"] == ["torana"]
    assert "useradd --system" in stage["RUN"][0]
    assert "chown torana:torana /var/lib/torana" in stage["RUN"][0]
    assert not any("--chown" in rest for rest in stage["COPY"])


def test_gateway_listens_for_the_outside() -> None:
    """Inside a container loopback would reach nobody."""
    stage = last_stage()
    environment = dict(pair.split("=", 1) for pair in stage["ENV"][0].split())

    assert environment["GATEWAY_HOST"] == "0.0.0.0"
    assert environment["VAR_DIR"] == "/var/lib/torana"
    assert stage["EXPOSE"] == [environment["GATEWAY_PORT"]]
    assert ast.literal_eval(stage["CMD"][0]) == ["python", "manage.py", "gateway", "serve"]


def test_image_gets_what_runs_and_nothing_else() -> None:
    """The build context holds the packages, the demo and the lock file; no tests, no secrets, no history."""
    ignore = (ROOT / ".dockerignore").read_text().split("\n")
    admitted = {line[1:] for line in ignore if line.startswith("!")}

    assert "*" in ignore
    assert admitted == {*PACKAGES, "examples", "manage.py", "requirements.lock"}
    assert all((ROOT / name).exists() for name in admitted)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_health_check_judges_liveness(status: int, code: int) -> None:
    """The check succeeds when /health/live answers 200, and fails when it does not."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    command = ast.literal_eval(last_stage()["HEALTHCHECK"][0].partition("CMD ")[2])
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = subprocess.run(
            [sys.executable, *command[1:]],
            env={**os.environ, "GATEWAY_PORT": str(server.server_port)},
            capture_output=True,
        )

    assert command[0] == "python"
    assert (done.returncode, asked) == (code, ["/health/live"])
