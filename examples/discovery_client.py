"""Registers a service with the gateway, keeps the registration alive, and leaves when it is told to stop.

    export GATEWAY_KEY=tor_…        # an API key of a service account
    python examples/discovery_client.py --gateway http://127.0.0.1:8000 --service orders --port 9101

It needs nothing but Python. Run it beside a service, or use `Registration` in the service's own process:

    with Registration("http://127.0.0.1:8000", key, {"service_name": "orders", "host": "10.0.0.7", "port": 9101}):
        serve()

A gateway that is away, or says 503, is asked again, at first after half a second and then less and less often; a lease
that has ended is registered anew. What the gateway refuses for a reason ends the program with that reason.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
ANSWER_WITHIN_S = 5.0
WITHOUT_TTL_S = 60.0
"""Without a ttl there is nothing to renew; the lease is looked after all the same, as staff may have ended it."""


class Refused(Exception):  # noqa: N818 - a refusal is no error of the program
    """The gateway says no, and would say so again."""


class Away(Exception):  # noqa: N818
    """The gateway cannot be asked now."""


class Registration:
    """A thread that registers and renews. `stop` ends it and the lease."""

    def __init__(self, gateway: str, key: str, service: dict[str, Any]) -> None:
        self._gateway = gateway.rstrip("/")
        self._key = key
        self._service = service
        self._lease: dict[str, Any] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registration", daemon=True)
        self.error = ""
        """Why the registration was given up; empty while it goes on."""

    def __enter__(self) -> "Registration":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leaves, so that the gateway sends nothing more; the service can finish what it has."""
        self._stopped.set()
        self._thread.join()

    def wait(self) -> None:
        """Until it is stopped or refused."""
        self._thread.join()

    def ask_to_stop(self) -> None:
        """From a signal handler."""
        self._stopped.set()

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                wait_s = self._renew() if self._lease else self._register()
                pause_s = FIRST_PAUSE_S
            except Refused as refusal:
                self.error = str(refusal)
                say(f"refused: {refusal}")
                return
            except Away as reason:
                # Chance keeps a hundred services from coming back all at once.
                wait_s = pause_s * random.uniform(0.5, 1.0)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                say(f"the gateway is away: {reason}")
            self._stopped.wait(wait_s)
        self._leave()

    def _register(self) -> float:
        status, answer = self._ask("POST", "/discovery/register", self._service)
        if status != 201:
            raise Refused(json.dumps(answer.get("error", answer)))
        self._lease = answer
        say(f"registered {answer['url']} as {answer['lease_id']}: {answer['state']}")
        return self._next_renewal()

    def _renew(self) -> float:
        assert self._lease is not None
        status, answer = self._ask("PUT", f"/discovery/lease/{self._lease['lease_id']}")
        if status == 404:
            say("the lease has ended")
            self._lease = None
            return 0.0
        if status != 200:
            raise Refused(json.dumps(answer.get("error", answer)))
        return self._next_renewal()

    def _next_renewal(self) -> float:
        assert self._lease is not None
        return float(self._lease["renew_every"] or WITHOUT_TTL_S)

    def _leave(self) -> None:
        if self._lease is not None:
            try:
                self._ask("DELETE", f"/discovery/lease/{self._lease['lease_id']}")
                say("left")
            except Away as reason:
                say(f"could not leave: {reason}")

    def _ask(
        self, method: str, path: str, content: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON; Away where another try is worth it."""
        request = urllib.request.Request(
            self._gateway + path,
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"X-API-Key": self._key, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read()
            if error.code == 429 or error.code >= 500:
                raise Away(f"status {error.code}") from error
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {"error": text.decode("utf-8", "replace")[:200]}
        except (OSError, ValueError) as error:
            raise Away(str(error)) from error


def say(text: str) -> None:
    print(f"discovery: {text}", file=sys.stderr, flush=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Registers a service with the gateway until it is stopped.")
    parser.add_argument("--gateway", default="http://127.0.0.1:8000", metavar="URL")
    parser.add_argument("--service", required=True, metavar="NAME")
    parser.add_argument("--host", default="127.0.0.1", help="where the gateway reaches the service")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--check", default="/health", metavar="PATH")
    parser.add_argument("--weight", default=1, type=int)
    parser.add_argument("--ttl", default=30.0, type=float, metavar="SECONDS")
    return parser.parse_args()


def main() -> int:
    options = read_options()
    key = os.environ.get("GATEWAY_KEY", "")
    if not key:
        say("GATEWAY_KEY is not set: it holds an API key of a service account")
        return 2
    service = {
        "service_name": options.service,
        "host": options.host,
        "port": options.port,
        "check_endpoint": options.check,
        "weight": options.weight,
        "ttl": options.ttl,
    }
    registration = Registration(options.gateway, key, service)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: registration.ask_to_stop())
    with registration:
        registration.wait()
    return 1 if registration.error else 0


if __name__ == "__main__":
    sys.exit(main())
