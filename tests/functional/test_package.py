"""The package as `pip install` leaves it: no source tree on the path, nothing in the home folder."""

import asyncio
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway_project.version import VERSION
from tests.support.process import PATIENCE_S, ROOT, SERVING, Running
from tests.support.source import tracked

pytestmark = pytest.mark.timeout(200)  # seconds; a package is built, and processes start one after another
PACKAGES = ("authproxy", "gateway_project", "observability", "realtime", "resilience", "routing")
USUAL = {"REDIS_URL": "none", "GATEWAY_PORT": "0", "ALLOWED_HOSTS": "127.0.0.1,gateway.test"}
DOCUMENT = """version: 1
routes:
- {name: hello, match: {path: /hello}, auth: {level: public}, respond: {body: Installed.}}
"""


@dataclass(frozen=True)
class Installed:
    """An environment of its own, and the folder that its commands run in."""

    torana: Path
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """Nothing of this run's but what every program needs."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder / "home"), **USUAL}

    def run(self, *arguments: str) -> str:
        """What a command that goes well says."""
        command = [self.torana, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """What a command that cannot be carried out complains of."""
        done = subprocess.run(
            [self.torana, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True
        )
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[Running]:
        """A command that goes on."""
        process = await asyncio.create_subprocess_exec(
            self.torana,
            *arguments,
            cwd=self.folder,
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.interrupt()
            await running.ended()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built offline, by what the development environment holds."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def torana(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, of the wheel in a fresh environment that sees this one's libraries."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    libraries = Path(paths["purelib"], "libraries.pth")
    libraries.write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", *options]
    subprocess.run([*pip, wheel], check=True, timeout=100)
    return home / "bin" / "torana"


@pytest.fixture
def installed(torana: Path, tmp_path: Path) -> Installed:
    """In an empty folder, with an empty home."""
    (tmp_path / "home").mkdir()
    return Installed(torana, tmp_path)


def test_wheel_holds_what_is_tracked(wheel: Path) -> None:
    """Every file of the packages and of the examples, templates and migrations included, and no other."""
    files = [path.relative_to(ROOT) for path in tracked()]
    own = {str(path) for path in files if path.parts[0] in PACKAGES}
    examples = {f"gateway_project/share/{path}" for path in files if path.parts[0] == "examples"}

    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert found == own | examples
    assert wheel.name == f"torana-{VERSION}-py3-none-any.whl"


async def test_installed_gateway_serves(installed: Installed) -> None:
    """From nothing to a request, with what it keeps in the folder that it was started in."""
    (installed.folder / "gateway.yaml").write_text(DOCUMENT)
    assert installed.run("--version") == f"torana {VERSION}\n"
    assert installed.run("validate", "gateway.yaml") == "valid\n"
    assert installed.run("--help").startswith("usage: torana [-h]")
    assert installed.run("apply", "--help").startswith("usage: torana apply [-h]")
    assert "run `torana manage migrate`" in installed.refused("apply", "gateway.yaml")
    installed.run("manage", "migrate", "--verbosity", "0")
    assert "published revision 1" in installed.run("apply", "gateway.yaml")

    async with installed.running("serve", "--port", "0") as running:
        running.port = int((await running.said(SERVING))[1])
        assert (await running.get("/hello")).body == b"Installed."
        assert f'"{VERSION}"'.encode() in (await running.get("/health")).body
        assert (await running.get("/accounts/login/")).status == 200
        assert (await running.get("/admin/static/realtime/torana.js")).status == 200
        assert (await running.get("/admin/static/torana/traffic.js")).status == 200

    assert sorted(path.name for path in installed.folder.iterdir()) == ["gateway.yaml", "home", "var"]
    assert list((installed.folder / "home").iterdir()) == []


async def test_installed_demo_answers(installed: Installed) -> None:
    """The demo's services are in the package."""
    async with installed.running("manage", "quickstart") as running:
        running.port = int((await running.said(r"Torana is at http://[^:]+:(\d+)"))[1])
        assert (await running.until("/api/hello", b"Hello from Torana.\n")).status == 200
