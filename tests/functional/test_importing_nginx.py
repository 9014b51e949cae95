"""nginx and a gateway with what was imported of its configuration say the same: to services, and to clients."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway_project.server.ports import keep_port
from routing.nginx.converting import convert
from routing.paths import NormalPath, normalise
from routing.validation import check_document
from tests.support.gateway import RawClient, data_plane
from tests.support.process import eventually
from tests.support.upstreams import Peer, ReceivedRequest, ScriptedUpstream, response

NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(NGINX is None and not os.environ.get("CI"), reason="nginx is not installed")

HEAD = """
pid nginx.pid;
error_log stderr crit;
daemon off;
master_process off;
events { worker_connections 64; }
"""
SITES = """
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;
  limit_req_status 429;
  upstream pool { server 127.0.0.1:UPSTREAM; keepalive 8; }

  server {
    listen 127.0.0.1:PORT default_server;
    server_name _;
    client_max_body_size 1k;
    location / { proxy_pass http://pool; proxy_set_header Host $http_host; }
    location = /exact { proxy_pass http://pool/exactly; }
    location /text { proxy_pass http://pool/other; }
    location /base/ { proxy_pass http://pool/new/; proxy_set_header X-Real-IP $remote_addr; }
    location /whole/ { proxy_pass http://pool/; proxy_set_header Cookie ""; }
    location /glued/ { proxy_pass http://pool/new; }
    location /same/ { proxy_pass http://pool; proxy_set_header Host fixed.example; }
    location ^~ /firm/ { proxy_pass http://pool/kept/; }
    location ~ \\.php$ { proxy_pass http://pool; proxy_set_header X-Kind php; }
    location ~* ^/IMAGES/(.+)\\.(png|gif)$ { proxy_pass http://pool; proxy_set_header X-Kind image; }
    location ~ ^/images/ { proxy_pass http://pool; proxy_set_header X-Kind later; }
    location /rewritten/ { rewrite ^/rewritten/(.*)/end$ /begin/$1 break; proxy_pass http://pool; }
    location /limited { limit_req zone=slow burst=2 nodelay; proxy_pass http://pool; }
    location /closed/ { deny all; proxy_pass http://pool; }
    location /near/ { allow 127.0.0.0/8; deny all; proxy_pass http://pool; }
    location /far/ { allow 10.0.0.0/8; deny all; proxy_pass http://pool; }
    location /without/ { deny 127.0.0.1; allow all; proxy_pass http://pool; }
    location = /gone { return 410; }
    location = /text-answer { return 200 "hello"; }
    location = /moved { return 301 https://new.example$request_uri; }
    location = /moved-path { return 302 /elsewhere; }
    location /added/ { add_header X-Served-By edge always; proxy_hide_header X-Secret; proxy_pass http://pool; }
    location /nested/ {
      proxy_pass http://pool/a/;
      location /nested/inner/ { proxy_pass http://pool/b/; }
    }
  }
  server {
    listen 127.0.0.1:PORT;
    server_name shop.example;
    location /shop/ { proxy_pass http://pool/shop-only/; }
  }
  server {
    listen 127.0.0.1:PORT;
    server_name *.example;
    location / { proxy_pass http://pool/wild/; }
  }
  server {
    listen 127.0.0.1:PORT;
    server_name old.example;
    return 308 https://new.example$request_uri;
  }
}
"""
CONDITIONS = """
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  limit_conn_zone $server_name zone=all:1m;
  map $http_x_kind $chosen { default pool; beta next; "two words" next; }
  map $cookie_variant $by_cookie { default pool; b next; }
  split_clients "$remote_addr$request_id" $shared { 30% pool; * next; }
  upstream pool { server 127.0.0.1:UPSTREAM; }
  upstream next { server 127.0.0.1:NEXT; }

  server {
    listen 127.0.0.1:PORT default_server;
    server_name _;
    if ($http_user_agent ~* badbot) { return 403; }
    location / { proxy_pass http://pool; }
    location /get/ { if ($request_method != GET) { return 405; } proxy_pass http://pool; }
    location /read/ { if ($request_method !~ ^(GET|HEAD)$) { return 405; } proxy_pass http://pool; }
    location /no-post/ { if ($request_method ~ ^(POST|PUT)$) { return 403; } proxy_pass http://pool; }
    location /preflight/ {
      if ($request_method = OPTIONS) { add_header X-Served-By edge; return 204; }
      proxy_pass http://pool;
    }
    location /key/ { if ($http_x_key != secret) { return 401; } proxy_pass http://pool; }
    location /any-key/ { if ($http_x_key = "") { return 401; } proxy_pass http://pool; }
    location /both/ {
      if ($http_x_key != secret) { return 401; }
      if ($request_method = POST) { return 405; }
      if ($http_x_kind ~ ^b) { return 410; }
      proxy_pass http://pool;
    }
    location /except/ { limit_except GET { deny all; } proxy_pass http://pool; }
    location /mapped/ { proxy_pass http://$chosen; }
    location /mapped-key/ { if ($http_x_key != secret) { return 401; } proxy_pass http://$chosen; }
    location /cookie/ { proxy_pass http://$by_cookie; }
    location /shared/ { proxy_pass http://$shared; }
    location /crowd/ { limit_conn all 5; proxy_pass http://pool; }
    location /outer/ {
      proxy_pass http://pool;
      location ~ [.]php$ { return 404; }
      location = /outer/exact { return 410; }
      location /outer/deep/ { if ($request_method = POST) { return 405; } proxy_pass http://pool; }
    }
    location ^~ /strong/ { proxy_pass http://pool; location ~ [.]php$ { deny all; proxy_pass http://pool; } }
    location /basic/ { auth_basic x; auth_basic_user_file none; proxy_pass http://pool; }
    location /asked/ { auth_request /who; proxy_pass http://pool; }
    location = /who { internal; return 403; }
    location /files/ { root /nowhere; }
    location /referred/ { valid_referers server_names; if ($invalid_referer) { return 403; } proxy_pass http://pool; }
  }
  server { listen 127.0.0.1:PORT; server_name shut.example; return 403; location / { proxy_pass http://pool; } }
}
"""
CONDITION_PATHS = """
/x /get/x /read/x /no-post/x /preflight/x /key/x /any-key/x /both/x /except/x /mapped/x /mapped-key/x /cookie/x /crowd/x
/outer/x /outer/x.php /x.php /outer/exact /outer/deep/x /strong/x /strong/x.php
""".split()  # noqa: SIM905 - a list of paths
CONDITION_FIELDS: tuple[tuple[str, ...], ...] = (
    (), ("X-Key: secret",), ("X-Key: other",), ("X-Kind: beta",), ("X-Kind: BETA", "X-Key: secret"), ("X-Kind: other",),
    ("X-Kind: two words",), ("X-Kind: two",), ("Cookie: variant=b",), ("Cookie: a=1; variant=b; c=2",),
    ("Cookie: xvariant=b",), ("User-Agent: a BadBot/1",), ("X-Key: secret", "User-Agent: badbot"),
)  # fmt: skip
Answered = tuple[int, bytes, list[str]]
REFUSED = ("/basic/x", "/asked/x", "/files/x", "/who", "/referred/x")
PATHS = """
/ /x /x/y?a=1&b=%20 /x/ /a%20b /exact /exact/ /exact/x /text /text/ /text/a /texture /base /base/ /base/x /base/x/y/?q
/whole /whole/ /whole/x /glued/ /glued/x /same /same/ /same/x /firm /firm/ /firm/x.php /x.php /x.php/y /x.phpx
/IMAGES/a.png /images/a.GIF /images/a.jpg /images/ /images /rewritten/a/b/end /rewritten/a /rewritten/ /closed/x /near/x
/far/x /without/x /gone /gone/x /text-answer /moved?x=1 /moved-path?x=1 /added/x /nested/x /nested/inner/x /nested/inner
/base/../x /base/./x /x/../base/y /%74ext /base/%41 /base/a+b /base/a%2Bb /base/a;b=c
""".split()  # noqa: SIM905 - a list of paths
HOSTS = ("gateway.test", "shop.example", "a.example", "a.b.example", "old.example")
NEW = "https://new.example"
SEEN = ("host", "x-kind", "x-real-ip", "cookie", "x-own", "authorization", "content-length")


@asynccontextmanager
async def nginx(folder: Path, text: str, upstream: int) -> AsyncIterator[tuple[Path, int]]:
    """nginx with that configuration, on a port of its own."""
    port = keep_port()
    file = folder / "nginx.conf"
    file.write_text(HEAD + text.replace("UPSTREAM", str(upstream)).replace("PORT", str(port)))
    assert NGINX is not None
    process = await asyncio.create_subprocess_exec(
        NGINX, "-p", f"{folder}/", "-c", str(file), stderr=asyncio.subprocess.PIPE
    )

    async def accepts() -> bool:
        assert process.returncode is None, await process.stderr.read() if process.stderr else ""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await eventually(accepts)
        yield file, port
    finally:
        process.terminate()
        await process.communicate()


def resolved(target: bytes) -> tuple[str, bytes]:
    """Path and query. Two differences stay, by design: the gateway resolves dot segments, and keeps escapes as sent."""
    path, _, query = target.partition(b"?")
    normal = normalise(path)
    assert isinstance(normal, NormalPath)
    return normal.match, query


class Echo:
    """Remembers what it saw last."""

    def __init__(self, says: bytes = b"seen") -> None:
        self._says = says
        self.last: ReceivedRequest | None = None

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.last = await peer.request()
            await peer.send(
                response(
                    b"" if self.last.method == "HEAD" else self._says,
                    headers=[("X-Secret", "s"), ("Content-Type", "text/plain")],
                )
            )

    def taken(self) -> Any:
        """Method, path and fields of what it saw; None: it saw nothing."""
        last, self.last = self.last, None
        if last is None:
            return None
        return last.method, resolved(last.target), {name: last.values(name) for name in SEEN}, last.body


def imported(file: Path) -> tuple[dict[str, Any], list[str]]:
    """The document, which is valid, and what is not in it."""
    found = convert(file)
    assert check_document(found.document, env={}).problems == ()
    return found.document, [str(each) for each in found.not_carried]


async def ask(port: int, echo: Echo, host: str, path: str, *fields: str, body: bytes = b"") -> Any:
    """What came back, and what the service saw."""
    head = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *fields]
    if body:
        head.append(f"Content-Length: {len(body)}")
    async with RawClient(port) as client:
        await client.send("\r\n".join([*head, "", ""]).encode() + body)
        answer = await client.answer()
    location = (answer.header("location") or "").removeprefix(f"http://{host}:{port}")
    if location.startswith(NEW):
        location = str(resolved(location.removeprefix(NEW).encode()))
    told = {"x-served-by": answer.values("x-served-by"), "x-secret": answer.values("x-secret")}
    own = answer.body if answer.status == 200 else b""
    return answer.status, location, told, own, echo.taken()


async def test_the_same_table(tmp_path: Path) -> None:
    """Paths, hosts, fields and bodies: the status, and what the service saw. One difference is there, and noted."""
    echo = Echo()
    async with ScriptedUpstream(echo) as upstream, nginx(tmp_path, SITES, upstream.port) as (file, port):
        document, omissions = imported(file)
        differing = []
        async with data_plane(document) as plane:
            table = [(host, path, (), b"") for host in HOSTS for path in PATHS]
            table += [
                ("gateway.test", "/x", ("Authorization: Basic eDp5", "Cookie: a=1", "X-Own: 1"), b"body")
            ]
            table += [("gateway.test", "/whole/x", ("Cookie: a=1",), b"x" * 1024)]
            table += [("gateway.test", "/x", (), b"x" * 1025)]
            for host, path, fields, body in table:
                theirs = await ask(port, echo, host, path, *fields, body=body)
                ours = await ask(plane.port, echo, host, path, *fields, body=body)
                if ours != theirs:
                    differing.append((host, path, theirs, ours))
    noted = [row for row in differing if row[:2] == ("gateway.test", "/texture")]
    assert differing == noted, "\n".join(map(str, differing))
    assert len(noted) == 1
    assert any("location /a takes /ab as well" in each for each in omissions)


async def test_conditions_and_variables(tmp_path: Path) -> None:
    """Methods, fields and paths: the same answers, from the same services; what is not carried over lets nobody in."""
    echo, other = Echo(), Echo(b"next")
    async with ScriptedUpstream(echo) as upstream, ScriptedUpstream(other) as beside:
        text = CONDITIONS.replace("NEXT", str(beside.port))
        async with nginx(tmp_path, text, upstream.port) as (file, port):
            document, omissions = imported(file)
            differing = []
            async with data_plane(document) as plane:
                for path in CONDITION_PATHS:
                    for method in ("GET", "HEAD", "POST", "OPTIONS"):
                        for fields in CONDITION_FIELDS:
                            theirs = await answered(port, method, path, fields)
                            ours = await answered(plane.port, method, path, fields)
                            if ours != theirs and not is_either_of_two(theirs, ours):
                                differing.append((method, path, fields, theirs, ours))
                refused = [(await answered(plane.port, "GET", path, ()))[0] for path in REFUSED]
                shut = await answered(plane.port, "GET", "/x", (), host="shut.example")
                shares = {(await answered(plane.port, "GET", "/shared/x", ()))[1] for _ in range(40)}
    assert differing == [], "\n".join(map(str, differing))
    assert [status // 100 for status in refused] == [4, 4, 5, 4, 4], refused
    assert shut[0] == 403
    assert shares == {b"seen", b"next"}
    backends = next(each["backends"] for each in document["routes"] if "backends" in each)
    assert [(each["service"], each["weight"]) for each in backends] == [("pool", 3000), ("next", 7000)]
    crowd = next(each for each in document["routes"] if each["match"].get("path") == "/crowd")
    assert crowd["limits"]["max_concurrency"] == 5
    assert any("as one of them says, not always the first" in each for each in omissions)
    assert sum("CLOSED" in each for each in omissions) == 3


def is_either_of_two(theirs: Answered, ours: Answered) -> bool:
    """Two conditions hold for the request: neither lets a service see it."""
    return theirs[0] != 200 and ours[0] != 200 and theirs[1] == ours[1] == b""


async def answered(
    port: int, method: str, path: str, fields: tuple[str, ...], host: str = "gateway.test"
) -> Answered:
    """Status, whose answer it was, and one field."""
    head = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        "Connection: close",
        *fields,
        "Content-Length: 0",
        "",
        "",
    ]
    async with RawClient(port) as client:
        await client.send("\r\n".join(head).encode())
        answer = await client.answer(head_only=method == "HEAD")
    return answer.status, answer.body if answer.status == 200 else b"", answer.values("x-served-by")


async def test_limits(tmp_path: Path) -> None:
    """The request itself, and the burst beside it."""
    echo = Echo()
    async with (
        ScriptedUpstream(echo) as upstream,
        nginx(tmp_path, SITES, upstream.port) as (file, port),
        data_plane(imported(file)[0]) as plane,
    ):
        for each in (port, plane.port):
            found = [(await ask(each, echo, "gateway.test", "/limited"))[0] for _ in range(5)]
            assert found == [200, 200, 200, 429, 429]
