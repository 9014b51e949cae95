"""How documents are run: what counts as a step and as its answer, and the curl for machines without one."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.upstream import Answer, Request, handler_of
from tests.support.consoles import Script, Step, shell
from tests.support.process import ROOT

DOCUMENT = """
```console
$ JWT_ALGORITHM=ES256 make example SYSTEM=first
```

```yaml
$ not: a console
```

```console
$ one \\
    and more
shown
  below
$ two
```

```console
$ make example SYSTEM=second
$ three
$ make run
$ four
```
"""


def test_steps_follow_their_example(tmp_path: Path) -> None:
    """A line and what is shown below it, by the system that was started before."""
    file = tmp_path / "document.md"
    file.write_text(DOCUMENT)
    first, second, demo = Script.all_of(file)
    assert (first.system, first.env) == ("first", {"JWT_ALGORITHM": "ES256"})
    assert first.steps == (Step("one \\\n    and more", "shown\n  below\n"), Step("two", ""))
    assert (second.system, second.env, second.steps) == ("second", {}, (Step("three", ""),))
    assert (demo.system, demo.env, demo.steps) == ("", {}, (Step("four", ""),))


@pytest.mark.parametrize(
    ("shown", "answer", "is_so"),
    [
        ("", "anything", True),
        ('{"a": 1, …}', '{"a":1,"b":{"c":2}}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("[1, 2", "[1, 2]", False),
        ("…", "", True),
        ("a.b", "axb", False),
    ],
)
def test_answers(shown: str, answer: str, is_so: bool) -> None:
    """Space does not count, an ellipsis is anything, all else is itself."""
    assert Step("x", shown).is_answered_by(answer) is is_so


async def test_shell_goes_on(tmp_path: Path) -> None:
    """Variables and functions of one line are there in the next; an answer without a line end is whole."""
    async with shell(tmp_path, {}) as bash:
        await bash.run("greet() { printf 'hello %s' \"$1\"; }; NAME=ada")
        assert await bash.run("greet $NAME") == "hello ada"
        assert "not found" in await bash.run("no-such-program")
        assert (
            await bash.run("head -c 10 examples/demo.yaml") == (ROOT / "examples/demo.yaml").read_text()[:10]
        )


async def test_shell_runs_commands(tmp_path: Path) -> None:
    """Of manage.py, with their input, their exit status, and the shell's own variables and folder."""
    async with shell(tmp_path, {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path / "v")}) as bash:
        await bash.run("export SERVICE_NAME=named; echo 'version: 1' > empty.yaml")
        validated = await bash.run("python manage.py gateway validate - < empty.yaml; echo exit $?")
        refused = await bash.run(
            "python manage.py gateway validate nowhere.yaml 2> said; echo exit $?; cat said"
        )
        inner = "from django.conf import settings as s; import os; print(s.CONFIG.service_name, os.getcwd())"
        shown = await bash.run(f'python manage.py shell --no-imports -c "{inner}"')
    assert validated.endswith("exit 0")
    assert refused.startswith("exit 1\n")
    assert "nowhere.yaml" in refused
    assert shown == f"named {tmp_path}"


@pytest.fixture
def upstream() -> Iterator[str]:
    """An example service that answers with the request, at this URL."""

    def answer(request: Request) -> Answer:
        return 201, {"method": request.method, "body": request.body, "caller": request.caller}

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of("echo", answer)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_stand_in_for_curl(upstream: str) -> None:
    """Method, fields and body arrive; with -i the status is shown, too."""
    program = [sys.executable, ROOT / "tests" / "support" / "curl.py", "-s"]
    fields = ("-H", "X-Auth-Method: jwt", "-H", "X-User-Name: A%25, B", "-H", "X-User-Roles: a,b")
    asked = (*fields, "-d", '{"x": 1}', upstream)
    shown = subprocess.run([*program, *asked], capture_output=True, text=True, check=True).stdout
    headed = subprocess.run([*program, "-i", upstream], capture_output=True, text=True, check=True).stdout
    found = json.loads(shown)
    assert (found["method"], found["body"]) == ("POST", {"x": 1})
    assert (found["caller"]["name"], found["caller"]["roles"]) == ("A%, B", ["a", "b"])
    assert headed.startswith("HTTP/1.1 201 Created")
    assert '"caller": null' in headed
