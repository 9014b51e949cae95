"""How a service of an example system is served: `--port PORT`, on loopback, until it is ended.

A service behind the gateway needs no sign-in of its own: `examples.upstream.caller_of` reads who calls.
"""

import argparse
import json
from collections.abc import Mapping
from typing import Any

import uvicorn
from werkzeug.serving import WSGIRequestHandler, make_server

from examples.upstream import caller_of

HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept

    def log(self, *_arguments: Any) -> None:
        """One line per request is enough; see `said`."""


def port() -> int:
    """The port that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    return int(parser.parse_args().port)


def asgi(app: Any) -> None:
    """Serves a FastAPI or Starlette application."""
    uvicorn.run(app, host=HOST, port=port(), log_level="warning")


def wsgi(app: Any) -> None:
    """Serves a Flask application, a thread for each connection."""
    make_server(HOST, port(), app, threaded=True, request_handler=_Handler).serve_forever()


def said(service: str, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Who calls, as the gateway says it; prints a line about the request, so that one sees what arrives."""
    caller = caller_of(headers, service)
    print(f"{service}: {method} {path} from {json.dumps(caller)}", flush=True)
    return caller
