"""The script that keeps .venv/ in step with the lock files."""

import ast
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.source import ROOT

SCRIPT = ROOT / "scripts" / "environment.py"
LOCK = "requirements.lock"


class Machine:
    """The script with a folder of its own and subprocesses that only pretend."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[list[str]] = []
        self.fails: Callable[[list[str]], bool] = lambda command: False
        self.venv = folder / ".venv"
        (folder / LOCK).write_text("a==1")
        self.names = runpy.run_path(str(SCRIPT))
        self.globals: dict[str, Any] = self.names["main"].__globals__
        self.globals.update(ROOT=folder, VENV=self.venv, VENV_PYTHON=self.venv / "bin" / "python")
        self.globals["subprocess"] = SimpleNamespace(call=self.call, check_call=self.call, DEVNULL=None)

    def call(self, command: list[str], **options: Any) -> int:
        self.calls.append(command)
        if "venv" in command and not self.fails(command):
            (self.venv / "bin").mkdir(parents=True)
            (self.venv / "bin" / "python").touch()
        return int(self.fails(command))

    def run(self, *locks: str) -> list[list[str]]:
        """The commands; modules are compiled last, after each lock file."""
        self.calls.clear()
        self.globals["main"](list(locks))
        compiling = [call for call in self.calls if "compileall" in call]
        assert len(compiling) == sum("install" in call for call in self.calls)
        return [call for call in self.calls if call not in compiling]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_script_is_understood_by_old_pythons() -> None:
    """A Python too old for the gateway can still say so."""
    assert ast.parse(SCRIPT.read_text(), feature_version=(3, 6)).body


def test_first_run_makes_the_environment_and_installs(machine: Machine) -> None:
    """pip installs exactly what the lock file holds, by hash."""
    calls = machine.run(LOCK)

    assert any(call[1:3] == ["-m", "venv"] for call in calls)
    assert calls[-1][1:4] == ["-m", "pip", "install"]
    assert {"--require-hashes", "--no-deps"} < set(calls[-1])


def test_what_is_installed_is_compiled_on_all_processors(machine: Machine) -> None:
    """By the environment's Python, before the first start would do it on one; pip itself leaves it alone."""
    assert "--no-compile" in machine.run(LOCK)[-1]
    assert machine.calls[-1][0] == str(machine.venv / "bin" / "python")
    assert machine.calls[-1][1:3] == ["-m", "compileall"]
    assert machine.calls[-1][-1] == str(machine.venv / "lib")


def test_second_run_does_nothing(machine: Machine) -> None:
    """Once the stamp says that the lock file is installed, no process is started."""
    machine.run(LOCK)

    assert machine.run(LOCK) == []


def test_changed_lock_file_is_installed_again(machine: Machine) -> None:
    """The stamp holds the lock file's hash; its time does not matter."""
    machine.run(LOCK)
    (machine.venv.parent / LOCK).write_text("a==2")

    assert machine.run(LOCK)[-1][3] == "install"


def test_failed_installation_is_not_taken_for_done(machine: Machine) -> None:
    """After pip failed, the next run tries again."""
    machine.fails = lambda command: "install" in command
    with pytest.raises(SystemExit, match=r"requirements\.lock could not be installed"):
        machine.run(LOCK)
    machine.fails = lambda command: False

    assert machine.run(LOCK)[-1][3] == "install"


def test_broken_environment_is_made_anew(machine: Machine) -> None:
    """An environment whose Python does not start (moved, or its Python removed) is replaced."""
    (machine.venv / "bin").mkdir(parents=True)
    (machine.venv / "bin" / "python").touch()
    machine.fails = lambda command: command[-1] == ""

    assert any(call[1:3] == ["-m", "venv"] for call in machine.run(LOCK))


def test_python_without_ensurepip_uses_its_own_pip(machine: Machine) -> None:
    """Debian's python3 without python3-venv can still install into the environment."""
    machine.fails = lambda command: command[-1] == "import ensurepip" or (
        command[0] != sys.executable and command[-1] == "import pip"
    )
    calls = machine.run(LOCK)

    assert any("--without-pip" in call for call in calls)
    assert calls[-1][:4] == [sys.executable, "-m", "pip", "--python"]


def test_python_without_any_pip_is_told(machine: Machine) -> None:
    """Where nothing can install, the message says what to do."""
    machine.fails = lambda command: command[-1].startswith("import")

    with pytest.raises(SystemExit, match="apt install python3-venv"):
        machine.run(LOCK)


def test_old_python_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no newer Python, the message names the version and the way out."""
    machine.globals["sys"] = SimpleNamespace(
        version_info=(3, 9, 2), executable="python3", exit=sys.exit, argv=["environment.py"]
    )
    machine.globals["shutil"] = SimpleNamespace(which=lambda name: None)

    with pytest.raises(SystemExit, match=r"python3 is 3\.9\. Name another: make PYTHON="):
        machine.run(LOCK)


def test_newer_python_beside_an_old_one_takes_over(machine: Machine) -> None:
    """python3.11 is found although python3 is older."""
    replaced: list[list[str]] = []

    def execv(path: str, arguments: list[str]) -> None:
        replaced.append(arguments)
        raise SystemExit(0)

    machine.globals["sys"] = SimpleNamespace(
        version_info=(3, 9, 2), executable="python3", argv=["environment.py"]
    )
    machine.globals["shutil"] = SimpleNamespace(which=lambda name: f"/bin/{name}")
    machine.globals["os"] = SimpleNamespace(execv=execv)

    with pytest.raises(SystemExit):
        machine.run(LOCK)
    assert replaced == [["/bin/python3.11", "environment.py"]]
