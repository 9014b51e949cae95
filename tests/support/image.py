"""I: Builds the image of a Dockerfile and runs it, without a container engine: overlays in a namespace of its own.

unshare --mount python -m tests.support.image CONTEXT

As root. Each stage is an overlay of this machine's root, with this interpreter's Python below /usr/local, as the base
image has it. What is shipped runs as the image's user, on a root that is read-only, with an empty HOME and without a
network but loopback. It prints what came of it as JSON.
"""

import ast
import ctypes
import json
import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.dockerfile import Stage, stages_of

WITHIN_S = 60.0
SETTINGS = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k7Vq2-no-placeholder-and-long-enough-for-production-9fWz",
    "ALLOWED_HOSTS": "127.0.0.1",
    "ENFORCE_HTTPS": "off",
    "LD_LIBRARY_PATH": "/usr/local/lib",
}
ASSET = "/admin/static/unfold/css/styles.css"
ASK = f"""
import json, urllib.request as u
def ask(path, **fields):
    answer = u.urlopen(u.Request("http://127.0.0.1:8000" + path, headers=fields), timeout=5)
    return [answer.status, answer.headers.get("Content-Encoding"), len(answer.read())]
print(json.dumps([ask("/health/ready"), ask("/api/hello"), ask({ASSET!r}, **{{"Accept-Encoding": "gzip"}})]))
"""


def run(*command: object, **options: Any) -> str:
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Built:
    """One stage: its layers, where it is mounted, and what it says about running."""

    def __init__(self, stage: Stage, scratch: Path, base: "Built | None") -> None:
        self.stage = stage
        self.root = scratch / "root"
        self.workdir = base.workdir if base else "/"
        self.layers = [scratch / "upper", *(base.layers if base else [])]
        for folder in (self.root, self.layers[0], scratch / "work"):
            folder.mkdir(parents=True)
        lower = ":".join([*map(str, self.layers[1:]), "/"])
        options = f"lowerdir={lower},upperdir={self.layers[0]},workdir={scratch / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", options, self.root)
        run("mount", "--rbind", "/proc", self.inside("/proc"))
        run("mount", "--rbind", "/dev", self.inside("/dev"))
        if sys.base_prefix != "/usr":
            run("mount", "--bind", sys.base_prefix, self.inside("/usr/local"))

    def inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def build(self, context: Path, others: "dict[str, Built]") -> None:
        for word, rest in self.stage.instructions:
            if word == "WORKDIR":
                self.workdir = rest
                self.inside(rest).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self._copy(shlex.split(rest), context, others)
            elif word == "RUN":
                path = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
                run(
                    "chroot",
                    self.root,
                    "sh",
                    "-c",
                    f"cd {self.workdir} && {rest}",
                    env={**_network(), **path},
                )

    def _copy(self, words: list[str], context: Path, others: "dict[str, Built]") -> None:
        origin = context
        if words[0].startswith("--from="):
            origin = others[words.pop(0).removeprefix("--from=")].root
        *sources, wanted = words
        target = self.inside(os.path.join(self.workdir, wanted))  # noqa: PTH118 - an absolute one wins
        for source in sources:
            found = origin / source.lstrip("/")
            into = target / found.name if wanted.endswith("/") else target
            into.parent.mkdir(parents=True, exist_ok=True)
            run("cp", "-a", f"{found}/." if found.is_dir() else found, into)


def _network() -> dict[str, str]:
    """What of our environment pip needs on this machine."""
    return {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "HTTP", "NO_PROXY", "HOME"))}


class Shipped:
    """The last stage, as an engine with a read-only root would run it."""

    def __init__(self, built: Built) -> None:
        self.built = built
        stage = built.stage
        (environment,) = stage.all_of("ENV")
        self.env = {**dict(pair.split("=", 1) for pair in environment.split()), **SETTINGS}
        (self.volume,) = stage.all_of("VOLUME")
        owner = built.inside(self.volume).stat()
        self.owner = [owner.st_uid, owner.st_gid, oct(owner.st_mode & 0o777)]
        run("mount", "-o", "remount,ro", built.root)
        for hidden in ("/root", "/home"):
            run("mount", "-t", "tmpfs", "-o", "ro", "none", built.inside(hidden))
        options = f"mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
        run("mount", "-t", "tmpfs", "-o", options, "none", built.inside(self.volume))

    def command(self, *words: str) -> list[str]:
        (user,) = self.built.stage.all_of("USER")
        uid, gid = user.split(":")
        rights = f"--reuid={uid} --regid={gid} --clear-groups --no-new-privs --bounding-set=-all"
        run_in = ["sh", "-c", f'cd {self.built.workdir} && exec "$@"', "sh", *words]
        env = [f"{name}={value}" for name, value in self.env.items()]
        return ["chroot", str(self.built.root), "setpriv", *rights.split(), "env", "-i", *env, *run_in]

    def succeeds(self, *words: str) -> bool:
        return subprocess.run(self.command(*words), capture_output=True).returncode == 0

    def says(self, *words: str) -> str:
        return run(*self.command(*words))


def try_out(shipped: Shipped) -> dict[str, Any]:
    """Tables, a configuration, the image's own command until its own check is content, three requests, the end."""
    run("ip", "link", "set", "lo", "up")
    stage = shipped.built.stage
    check = ast.literal_eval(stage.all_of("HEALTHCHECK")[0].partition("CMD ")[2])
    shipped.says("python", "manage.py", "migrate", "--verbosity", "0")
    shipped.says("python", "manage.py", "gateway", "apply", "examples/demo.yaml")
    started = time.monotonic()
    gateway = subprocess.Popen(shipped.command(*ast.literal_eval(stage.all_of("CMD")[0])))
    try:
        while not shipped.succeeds(*check):
            if gateway.poll() is not None or time.monotonic() > started + WITHIN_S:
                raise SystemExit(f"the gateway is not live; it ended with {gateway.poll()}")
            time.sleep(0.1)
        answers = json.loads(shipped.says("python", "-c", ASK))
        user = Path(f"/proc/{gateway.pid}/status").read_text()
        gateway.terminate()
        status = gateway.wait(timeout=WITHIN_S)
    finally:
        with suppress(ProcessLookupError):
            gateway.kill()
    return {
        "answers": answers,
        "status": status,
        "uid": user.partition("Uid:")[2].split()[0],
        "written": sorted(path.name for path in shipped.built.inside(shipped.volume).iterdir()),
        "may_write": [
            path
            for path in ("/srv/torana/x", "/opt/torana/x", "/tmp/x", "/etc/x", "/var/lib/torana/x")
            if shipped.succeeds("touch", path)
        ],
        "tools": [
            name
            for name in ("pip", "cyclonedx-py")
            if shipped.built.inside(f"/opt/torana/bin/{name}").exists()
        ],
        "megabytes": _size(shipped.built),
    }


def _size(built: Built) -> int:
    """What the stage adds to its base."""
    return int(run("du", "-sm", built.layers[0]).split()[0])


def main(context: Path) -> None:
    scratch = Path("/mnt")
    run("mount", "-t", "tmpfs", "-o", "size=4g", "none", scratch)
    done: dict[str, Built] = {}
    for number, stage in enumerate(stages_of((context / "Dockerfile").read_text())):
        built = done[stage.name] = Built(stage, scratch / str(number), done.get(stage.base))
        built.build(context, done)
    bill = json.loads(built.inside("/usr/share/torana/torana.cdx.json").read_text())
    left = sorted(path.name for path in built.inside("/srv/torana").iterdir())
    shipped = Shipped(built)
    found = {"owner": shipped.owner, "files": left, "bill": [each["purl"] for each in bill["components"]]}
    _unshare_network()
    sys.stdout.write(json.dumps({**found, **try_out(shipped), "format": bill["bomFormat"]}) + "\n")


def _unshare_network() -> None:
    """os.unshare comes with Python 3.12."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):
        raise SystemExit("no network namespace can be had")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
