"""I: A real OpenID provider for tests: started as a process, signed in to like by a browser, rotated, cut off."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.oidcserver import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.support.process import ROOT
from tests.support.tcpproxy import TcpProxy

CALLBACK = "http://client.test/callback"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that runs. `line` stands between it and its clients, to be frozen or cut."""

    url: str
    mount: str
    line: TcpProxy

    @property
    def issuer(self) -> str:
        return f"{self.url}/{self.mount}"

    @property
    def discovery_url(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/.well-known/jwks.json"

    async def id_token(self, scope: str = "openid read") -> str:
        """Signs in with name and password, is sent back with a code, and changes the code for a token."""
        async with httpx.AsyncClient(base_url=self.url) as browser:
            signed_in = await browser.post(
                "/login/?next=/", data={"username": USERNAME, "password": PASSWORD}
            )
            assert signed_in.status_code == 302, signed_in.text
            asked = {
                "response_type": "code",
                "client_id": CLIENT_ID,
                "redirect_uri": CALLBACK,
                "scope": scope,
            }
            sent_back = await browser.get(f"/{self.mount}/authorize/", params=asked)
            (code,) = parse_qs(urlsplit(sent_back.headers["location"]).query)["code"]
            changed = await browser.post(
                f"/{self.mount}/token/",
                data={"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK},
                auth=(CLIENT_ID, CLIENT_SECRET),
            )
            token: str = changed.json()["id_token"]
            return token

    async def control(self, what: str, **said: Any) -> dict[str, int]:
        """Changes what the server's docstring says, or nothing; how often its keys were asked for."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer: dict[str, int] = (await client.post(f"/control/{what}", json=said)).json()
            return answer

    async def key_requests(self) -> int:
        """How often anybody has asked for its keys."""
        return (await self.control("count")).get("keys", 0)


@contextmanager
def process(folder: Path, *, mount: str = "o") -> Iterator[int]:
    """Runs a provider whose files go to `folder`, and whose pages are below `mount`; its port."""
    command = [sys.executable, "-m", "tests.support.oidcserver", str(folder), mount]
    with Popen(command, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline().rpartition(":")[2])
        finally:
            running.kill()


@asynccontextmanager
async def reached(port: int, *, mount: str = "o") -> AsyncIterator[Provider]:
    """The provider at that port, by a line of the test's own."""
    line = TcpProxy("127.0.0.1", port)
    await line.start()
    yield Provider(f"http://127.0.0.1:{line.port}", mount, line)
    await line.stop()
