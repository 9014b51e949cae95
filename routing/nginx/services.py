"""P: Where proxy_pass sends: an upstream block or an address, as a service with targets.

Timeouts and retries stand in locations there and in services here, so locations that differ in them have services of
their own.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from routing.foreign import Names, Notes
from routing.nginx.directives import Directive
from routing.nginx.locations import Location

_SPAN: Final = re.compile(r"^([0-9]+)(ms|s|m|h|d)?$")
_RETRIED: Final = {
    "error": ("connect", "reset"), "timeout": ("timeout",), "http_500": (500,), "http_502": (502,), "http_503": (503,),
    "http_504": (504,), "http_429": (429,),
}  # fmt: skip


class Services:
    """Makes them as locations ask, each once."""

    def __init__(self, http: Directive, notes: Notes) -> None:
        self._upstreams = {each.args[0]: each for each in http.all("upstream") if each.args}
        self._notes = notes
        self._names = Names()
        self._made: dict[str, dict[str, Any]] = {}

    @property
    def made(self) -> list[dict[str, Any]]:
        return list(self._made.values())

    def block_of(self, target: str) -> str | None:
        """The name of the upstream block that an address means."""
        netloc = urlsplit(target).netloc
        return netloc.lower() if netloc in self._upstreams else None

    def named(self, location: Location, target: str) -> tuple[str, str | None] | None:
        """The service's name, and the URI behind the address if there is one. None, with a note, where it cannot be."""
        place = location.place
        if "$" in target or target.startswith(("http://unix:", "https://unix:")):
            self._notes.add(place, f"proxy_pass {target}: only fixed addresses; the location answers 501")
            return None
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            self._notes.add(place, f"proxy_pass {target}: is no http or https URL; the location answers 501")
            return None
        uri = target[len(f"{parts.scheme}://{parts.netloc}") :] or None
        service = self._service(location, parts.scheme, parts.netloc)
        key = repr(service)
        if key not in self._made:
            self._made[key] = {"name": self._names.free(parts.netloc.replace(":", "-")), **service}
        return self._made[key]["name"], uri

    def _service(self, location: Location, scheme: str, netloc: str) -> dict[str, Any]:
        upstream = self._upstreams.get(netloc)
        service: dict[str, Any] = {"protocol": scheme}
        if upstream is None:
            service["targets"] = [{"url": f"{scheme}://{netloc}"}]
        else:
            service |= self._balanced(upstream, scheme)
        service["timeout"] = timeouts(location)
        service["retries"] = self._retries(location, len(service["targets"]))
        if scheme == "https" and location.one("proxy_ssl_verify") != ("on",):
            self._notes.add(
                location.place, "certificates of targets are verified now; tls.verify: false is as before"
            )
        return service

    def _balanced(self, upstream: Directive, scheme: str) -> dict[str, Any]:
        targets, fails, spans = [], [], []
        for server in upstream.all("server"):
            options = dict(each.partition("=")[::2] for each in server.args[1:])
            if server.args[0].startswith("unix:"):
                self._notes.add(server.place, f"server {server.args[0]}: sockets are not carried over")
                continue
            target: dict[str, Any] = {"url": f"{scheme}://{server.args[0]}"}
            if "weight" in options:
                target["weight"] = int(options["weight"])
            if "backup" in options:
                target["backup"] = True
            if "down" in options:
                target["drain"] = True
            targets.append(target)
            fails.append(int(options.get("max_fails", "1")))
            spans.append(duration(options.get("fail_timeout", "10s")))
        found: dict[str, Any] = {**self._balance(upstream), "targets": targets}
        if len(targets) > 1 and max(fails):
            found["ejection"] = {"consecutive_errors": max(fails), "for": spans[0], "max_percent": 100}
        return found

    def _balance(self, upstream: Directive) -> dict[str, Any]:
        for each in upstream.block:
            if each.name == "least_conn":
                return {"load_balancing": "least_connections"}
            if each.name == "random":
                return {"load_balancing": "random"}
            if each.name == "ip_hash":
                return {"load_balancing": "consistent_hash", "hash_on": "ip"}
            if each.name == "hash":
                return {"load_balancing": "consistent_hash", "hash_on": self._hash_on(each)}
        return {"load_balancing": "weighted_round_robin"}

    def _hash_on(self, directive: Directive) -> Any:
        variable = directive.args[0] if directive.args else ""
        if variable in ("$remote_addr", "$binary_remote_addr"):
            return "ip"
        for prefix, kind in (("$http_", "header"), ("$cookie_", "cookie")):
            if variable.startswith(prefix):
                name = variable.removeprefix(prefix)
                return {kind: name.replace("_", "-") if kind == "header" else name}
        self._notes.add(directive.place, f"hash {variable}: the client's address is taken instead")
        return "ip"

    def _retries(self, location: Location, targets: int) -> dict[str, Any]:
        """nginx asks each of the others once; a service of one is asked once."""
        asked = location.one("proxy_next_upstream") or ("error", "timeout")
        tries = int((location.one("proxy_next_upstream_tries") or ("0",))[0]) or targets
        on: list[Any] = [kind for each in asked for kind in _RETRIED.get(each, ())]
        attempts = 0 if asked == ("off",) else max(min(tries, targets) - 1, 0)
        for each in asked:
            if each not in _RETRIED and each not in ("off", "non_idempotent"):
                self._notes.add(location.place, f"proxy_next_upstream {each}: is not carried over")
        return {"attempts": min(attempts, 10), **({"on": on} if on and attempts else {})}


def timeouts(location: Location) -> dict[str, str]:
    """A minute each unless said. nginx has none for the whole."""
    connect, read = (
        duration((location.one(f"proxy_{each}_timeout") or ("60s",))[0]) for each in ("connect", "read")
    )
    return {"connect": connect, "read": read, "total": "1h"}


def duration(text: str) -> str:
    """`60`, `30s` or `1m` as a duration of the document. Raises ValueError."""
    found = _SPAN.match(text)
    if found is None:
        raise ValueError(f"{text[:20]} is no time")
    return f"{found[1]}{found[2] or 's'}"
