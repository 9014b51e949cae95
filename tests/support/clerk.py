"""D: Somebody at a desk: a process beside the gateway that does what staff do, by the same services, at once.

    async with clerk(site) as staff:
        key = await staff.do("result = apikeys.create(consumer('robot'), 'nightly', by='test')[1]")

Run as a program it reads one JSON text of Python per line, and answers each with a line of JSON.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.support import warm  # noqa: E402 - as a program, the path must be known first
from tests.support.process import PATIENCE_S, Site  # noqa: E402

NAMES = """
from django.contrib.auth.models import Group, User
from authproxy import accounts, apikeys, consumers, sessions
from authproxy.models import ApiKey, Consumer, Session

def user(name):
    return User.objects.get(username=name)

def consumer(name):
    return Consumer.objects.get(name=name)

def group(name):
    return Group.objects.get_or_create(name=name)[0]

def account(name, *roles, staff=False):
    accounts.create(name, password={password!r}, roles=[group(role) for role in roles], is_staff=staff)

def service(name, *roles, scopes=None):
    made = consumers.create(name, kind="service", roles=[group(role) for role in roles])
    return apikeys.create(made, name, scopes=scopes, by="test")[1]
"""


class Clerk:
    """One process; what it is told to do is done when it has answered."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, code: str) -> Any:
        """What the code leaves in `result`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(code).encode() + b"\n")
        async with asyncio.timeout(2 * PATIENCE_S):
            answer = json.loads(await stdout.readline())
        assert "failed" not in answer, answer
        return answer["result"]


@asynccontextmanager
async def clerk(site: Site, *, password: str) -> AsyncIterator[Clerk]:
    """A clerk of that installation; accounts that it makes have this password."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-IS", warm.WARMLY, warm.address(), __file__, password,
        env={**site.environ(), "DJANGO_SETTINGS_MODULE": "gateway_project.settings"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Clerk(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()  # it ends with its input
        await process.communicate()


def serve(password: str) -> None:
    import django

    django.setup()
    from routing.notify import bind_redis

    redis = os.environ.get("REDIS_URL", "")
    bind_redis(redis if "://" in redis else None)
    names: dict[str, Any] = {}
    exec(NAMES.format(password=password), names)
    for line in sys.stdin:
        names["result"] = None
        try:
            exec(json.loads(line), names)
            answer = {"result": names["result"]}
        except Exception as error:
            answer = {"failed": repr(error)}
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve(sys.argv[1])
