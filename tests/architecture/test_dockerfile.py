"""The container image: its file read and linted, and built and run without a container engine."""

import ast
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.dockerfile import stages_of
from tests.support.source import PACKAGES, ROOT, tracked

STAGES = stages_of((ROOT / "Dockerfile").read_text())
HADOLINT = Path(sys.executable).with_name("hadolint")


def admitted() -> set[str]:
    """What `.dockerignore` lets into the build."""
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


def test_packages_come_from_a_stage_of_their_own() -> None:
    """The image on the Python that is supported takes only what the other stages have finished."""
    *others, shipped = STAGES

    assert {stage.base for stage in STAGES} == {"python:3.11-slim-bookworm", "packages"}
    assert [rest.split()[0] for rest in shipped.all_of("COPY")] == [
        "--from=packages", "--from=application", "--from=bill",
    ]  # fmt: skip
    assert not any("pip" in rest for rest in shipped.all_of("RUN"))
    assert {stage.name for stage in others} == {"packages", "bill", "application"}


def test_packages_are_the_locked_ones() -> None:
    """pip takes nothing whose hash is not in a lock file, the tool that lists them included."""
    installs = [rest for stage in STAGES for rest in stage.all_of("RUN") if " install --no-cache" in rest]

    assert len(installs) == 2
    assert all("--require-hashes --no-deps -r /build/requirements" in rest for rest in installs)


def test_gateway_does_not_run_as_root() -> None:
    """The user is made in the image, owns VAR_DIR alone, and is a number, as Kubernetes asks for."""
    shipped = STAGES[-1]

    assert shipped.all_of("USER") == ["10001:10001"]
    assert "--owner=torana --group=torana --mode=0700 /var/lib/torana" in shipped.all_of("RUN")[0]
    assert not any("--chown" in rest for rest in shipped.all_of("COPY"))


def test_gateway_listens_for_the_outside() -> None:
    """Inside a container loopback would reach nobody."""
    shipped = STAGES[-1]
    environment = dict(pair.split("=", 1) for pair in shipped.all_of("ENV")[0].split())

    assert environment["GATEWAY_HOST"] == "0.0.0.0"
    assert [environment["VAR_DIR"]] == [environment["TMPDIR"]] == shipped.all_of("VOLUME")
    assert shipped.all_of("EXPOSE") == [environment["GATEWAY_PORT"]]
    assert not [name for name in environment if "SECRET" in name or "TOKEN" in name or "PASSWORD" in name]


def test_image_gets_what_runs_and_nothing_else() -> None:
    """The build context holds the packages, the demo and the lock files; no tests, no secrets, no history."""
    locks = {"requirements.lock", "requirements-sbom.lock"}
    assert admitted() == {*PACKAGES, "examples", "manage.py", *locks}
    assert all((ROOT / name).exists() for name in admitted())


def test_linter_finds_nothing() -> None:
    done = subprocess.run([HADOLINT, "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def can_build() -> bool:
    """Building takes minutes of a busy machine, so it is asked for: `make test-image`."""
    is_asked = bool(os.environ.get("IMAGE"))
    return is_asked and os.geteuid() == 0 and shutil.which("unshare") is not None


if can_build():

    @pytest.mark.timeout(900)
    def test_image_is_built_and_serves(tmp_path: Path) -> None:
        """Every step runs, on overlays of this machine; what is shipped runs on a read-only root, as its user."""
        for path in tracked():
            name = path.relative_to(ROOT)
            if name.parts[0] in admitted() or name.name == "Dockerfile":
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, tmp_path / name)
        command = ["unshare", "--mount", sys.executable, "-m", "tests.support.image", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        found = json.loads(done.stdout.splitlines()[-1])

        assert [answer[0] for answer in found["answers"]] == [200, 200, 200]
        assert found["answers"][2][1] == "gzip"
        assert (found["status"], found["uid"], found["owner"]) == (0, "10001", [10001, 10001, "0o700"])
        assert found["may_write"] == ["/var/lib/torana/x"]
        assert found["tools"] == []
        assert {"static", "manage.py"} <= set(found["files"])
        assert not {"requirements.lock", "tests", "var", ".git"} & set(found["files"])
        assert found["format"] == "CycloneDX"
        locked = re.findall(
            r"^([\w.-]+)(?:\[.*\])?==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.M
        )
        assert set(found["bill"]) == {f"pkg:pypi/{name}@{version}" for name, version in locked}
        assert found["megabytes"] < 450


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

    command = ast.literal_eval(STAGES[-1].all_of("HEALTHCHECK")[0].partition("CMD ")[2])
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = subprocess.run(
            [sys.executable, *command[1:]],
            env={**os.environ, "GATEWAY_PORT": str(server.server_port)},
            capture_output=True,
        )

    assert command[0] == "python"
    assert (done.returncode, asked) == (code, ["/health/live"])
