"""I: The server behind every peer: nginx if installed, else a lean one of our own; never part of the measured CPU."""

import contextlib
import http.client
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.processes import HOST, Child, answer_of, environment, started, wait_until_ready
from gateway_project.server.ports import keep_port

SMALL_BYTES = 200
JSON = json.dumps({"items": [{"id": number, "name": f"item {number}"} for number in range(5)]}).ljust(
    SMALL_BYTES
)
LARGE_BYTES = 10_000
POST_BYTES = 1024
MARK = ("x-upstream", "bench")
COUNT_PATH = "/upstream-count"

# Single process, and connections that are never closed for their age: no peer pays for reconnecting.
_NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/upstream.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off; server_tokens off; default_type text/plain; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_timeout 1h; keepalive_requests 1000000000; open_file_cache max=10 inactive=1h;
  server {{
    {listen}
    add_header x-upstream bench; add_header x-body-length $content_length;
    location / {{ return 200 "{small}"; }}
    location ~ json$ {{ default_type application/json; return 200 '{json}'; }}
    location = /large {{ root {folder}; }}
    location = {count_path} {{ stub_status; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Every path answers 200 bytes (JSON, if it ends in json), `/large` 10 kB.

    POST answers with the length it was told in `x-body-length`.
    """

    child: Child
    port: int
    kind: str
    counter: http.client.HTTPConnection
    asked: list[int]

    def requests(self) -> int:
        """Requests begun so far, without those that asked for this figure."""
        self.counter.request("GET", COUNT_PATH)
        self.asked[0] += 1
        return parse_count(self.counter.getresponse().read().decode()) - self.asked[0]


def parse_count(text: str) -> int:
    """The third figure of nginx's stub_status page: all requests."""
    found = re.search(r"^\s*\d+\s+\d+\s+(\d+)", text, re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"the upstream did not say how many requests it had: {text[:200]!r}")
    return int(found[1])


@contextlib.contextmanager
def running(folder: Path, *, core: int | None, hosts: Sequence[str] = (HOST,)) -> Iterator[Upstream]:
    """The upstream for as long as the block lasts; the first host is loopback, others need nginx."""
    port = keep_port()
    nginx = nginx_command()
    kind = "nginx" if nginx else "lean asyncio server"
    if nginx is None and len(hosts) > 1:
        raise BenchmarkError("nginx is not installed; only it can be reached from other networks")
    command = (
        _nginx(nginx, folder, port, hosts)
        if nginx
        else (sys.executable, "-m", "benchmarks.lean_upstream", str(port))
    )
    root = Path(__file__).resolve().parent.parent
    with started("upstream", command, folder=folder, env=environment(folder), cwd=root, core=core) as child:
        wait_until_ready(child, port=port, path="/")
        before = parse_count(answer_of(port, COUNT_PATH).body.decode())
        yield Upstream(child, port, kind, http.client.HTTPConnection(HOST, port, timeout=5), [before])


def nginx_command() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _nginx(nginx: str, folder: Path, port: int, hosts: Sequence[str]) -> tuple[str, ...]:
    (folder / "large").write_bytes(b"y" * LARGE_BYTES)
    config = folder / "upstream.conf"
    listen = " ".join(f"listen {host}:{port} backlog=4096;" for host in hosts)
    config.write_text(
        _NGINX.format(folder=folder, listen=listen, small="x" * SMALL_BYTES, json=JSON, count_path=COUNT_PATH)
    )
    return (nginx, "-p", str(folder), "-e", "stderr", "-c", str(config))
