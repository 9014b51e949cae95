"""What the example services share: an HTTP server that learns from the gateway who calls.

A service behind the gateway needs no sign-in of its own: the gateway removes identity fields that a client sent and
writes its own. With `forward_identity: token` there is a signed token instead, which `GATEWAY_JWKS` verifies.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jwt


@dataclass(frozen=True)
class Request:
    """One request. `caller` is None when nobody signed in; `body` is None when it is not JSON.

    `token` is what the client sent as a Bearer token, where the gateway lets it through.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    caller: dict[str, Any] | None
    token: str
    headers: Mapping[str, str]
    raw: bytes = b""
    """The body as it came."""

    @property
    def fields(self) -> dict[str, Any]:
        """The body, if it is a JSON object; else nothing."""
        return self.body if isinstance(self.body, dict) else {}


Answer = tuple[int, dict[str, Any]]
Service = Callable[[Request], Answer]


def caller_of(headers: Mapping[str, str], service: str) -> dict[str, Any] | None:
    """Who calls, as the gateway says it: in header fields, or in a token that it signed for this service."""
    if method := headers.get("X-Auth-Method"):
        return {
            "user_id": unquote(headers.get("X-User-Id", "")),
            "name": unquote(headers.get("X-User-Name", "")),
            "roles": [unquote(role) for role in headers.get("X-User-Roles", "").split(",") if role],
            "scopes": [unquote(scope) for scope in headers.get("X-User-Scopes", "").split()],
            "consumer": unquote(headers.get("X-Consumer", "")),
            "method": method,
        }
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or "GATEWAY_JWKS" not in os.environ:
        return None
    try:
        key = keys().get_signing_key_from_jwt(token)
        return dict(jwt.decode(token, key, algorithms=[key.algorithm_name], audience=service))
    except jwt.PyJWTError as error:
        return {"unverified": f"{error} (the gateway publishes keys with JWT_ALGORITHM=ES256 or the like)"}


@cache
def keys() -> jwt.PyJWKClient:
    """The gateway's published keys; fetched when a token names one that is not known yet."""
    return jwt.PyJWKClient(os.environ["GATEWAY_JWKS"])


def handler_of(name: str, service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            caller = caller_of(self.headers, name)
            self._say(caller)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            query = dict(parse_qsl(url.query))
            request = Request(self.command, url.path, query, _json(body), caller, token, self.headers, body)
            self._send(*service(request))

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def _say(self, caller: dict[str, Any] | None) -> None:
            print(f"{name}: {self.command} {self.path} from {json.dumps(caller)}", flush=True)

        def _send(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document, indent=2).encode() + b"\n" if document else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # who asked may be gone
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """One line per request is enough; see _say."""

    return Handler


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def main(services: Mapping[str, Service]) -> None:
    """Serves one of `services`: NAME --port PORT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(services))
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    handler = handler_of(arguments.name, services[arguments.name])
    try:
        ThreadingHTTPServer(("127.0.0.1", arguments.port), handler).serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)
