"""I: All peers by name, and extra ones from the command line."""

import shlex

from benchmarks.errors import BenchmarkError
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.peers.frameworks import DJANGO, FASTAPI
from benchmarks.peers.proxies import CADDY, ENVOY, NGINX, TRAEFIK
from benchmarks.peers.torana import TORANA

ALL = (TORANA, CADDY, TRAEFIK, ENVOY, NGINX, FASTAPI, DJANGO)


def chosen(names: str | None) -> tuple[Peer, ...]:
    """Comma-separated beginnings of names, case ignored: `torana,caddy`; None is all."""
    if names is None:
        return ALL
    return tuple(_one(name.strip().lower()) for name in names.split(",") if name.strip())


def extra(text: str) -> Peer:
    """`NAME=COMMAND`, with `{port}` and `{upstream}` (a port, too) in the command."""
    name, equals, command = text.partition("=")
    if not (name and equals and "{port}" in command and "{upstream}" in command):
        raise BenchmarkError(
            f"an extra peer is NAME=COMMAND with {{port}} and {{upstream}} in it, not {text!r}"
        )

    def prepare(site: Site) -> Launch:
        filled = command.replace("{port}", str(site.port)).replace("{upstream}", str(site.upstream_port))
        return Launch(tuple(shlex.split(filled)))

    return Peer(name, prepare, lambda: "given on the command line")


def _one(beginning: str) -> Peer:
    for peer in ALL:
        if peer.name.lower().startswith(beginning):
            return peer
    raise BenchmarkError(f"no peer is called {beginning!r}; there are {', '.join(peer.name for peer in ALL)}")
