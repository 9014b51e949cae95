"""I: Makes .venv/ hold what the given lock files say. Costs milliseconds when it already does.

usage: environment.py LOCK_FILE...

It runs on the machine's own Python, however old, and so uses nothing that is not in Python 3.6.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWER = ("python3.11", "python3.12", "python3.13")
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
PIP_OPTIONS = [
    "--require-hashes",
    "--no-deps",
    "--no-compile",
    "-qq",
    "--no-input",
    "--disable-pip-version-check",
]


def main(locks: list) -> None:
    wanted = [lock for lock in locks if not is_installed(lock)]
    if not wanted:
        return
    go_on_in_new_enough_python()
    pip = create()
    for lock in wanted:
        say(f"installing {lock}")
        if subprocess.call([*pip, "install", *PIP_OPTIONS, "-r", str(ROOT / lock)]):
            sys.exit(f"The packages of {lock} could not be installed; pip says why above.")
        compile_all()
        stamp(lock).write_text(digest(lock))


def compile_all() -> None:
    """On all processors, where pip would use one. What does not compile is nothing that is imported."""
    subprocess.call(
        [str(VENV_PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")], stdout=subprocess.DEVNULL
    )


def go_on_in_new_enough_python() -> None:
    """Where `python3` is too old, a newer one that lies beside it takes over."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        path = shutil.which(name)
        if path:
            os.execv(path, [path, *sys.argv])
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"Python 3.11 or newer is needed; {sys.executable} is {version}. Name another: make PYTHON=…")


def create() -> list:
    """The command that runs pip on .venv/, which is made first if it is missing or broken."""
    if not (VENV_PYTHON.exists() and succeeds(VENV_PYTHON, "")):
        say(f"creating .venv/ with Python {sys.version_info[0]}.{sys.version_info[1]}")
        shutil.rmtree(VENV, ignore_errors=True)
        options = []
        if not succeeds(sys.executable, "import ensurepip"):
            options = ["--without-pip"]
            if not succeeds(sys.executable, "import pip"):
                sys.exit("This Python has neither ensurepip nor pip (on Debian: apt install python3-venv).")
        subprocess.check_call([sys.executable, "-m", "venv", *options, str(VENV)])
    if succeeds(VENV_PYTHON, "import pip"):
        return [str(VENV_PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]


def succeeds(python: object, code: str) -> bool:
    return subprocess.call([str(python), "-c", code], stderr=subprocess.DEVNULL) == 0


def is_installed(lock: str) -> bool:
    """Whether the lock file's stamp holds its hash; stamps go away with .venv/."""
    return VENV_PYTHON.exists() and stamp(lock).exists() and stamp(lock).read_text() == digest(lock)


def stamp(lock: str) -> Path:
    return VENV / f".stamp-{lock}"


def digest(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def say(text: str) -> None:
    sys.stderr.write(f"==> {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
