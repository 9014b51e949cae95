"""P: Where Redis is, read from a URL.

redis://USER:PASSWORD@HOST:PORT/DB, rediss:// (TLS), unix://PATH?db=0
redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE/DB?sentinel_password=…, rediss+sentinel://
redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT, rediss+cluster://, or redis://…?cluster=true

Options after `?` are those of redis-py (ssl_ca_certs, ssl_cert_reqs, …).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

DEFAULT_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
TRUE: Final = frozenset({"1", "true", "yes", "on"})
Node = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Address:
    """`url` is of a single server; of several, `nodes` are those to ask first."""

    kind: Literal["single", "sentinel", "cluster"]
    url: str = field(default="", repr=False)
    nodes: tuple[Node, ...] = ()
    service: str = ""
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


def address_of(url: str) -> Address:
    """Reads a URL. Raises ValueError with a message that shows no password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("it is not a URL") from None
    scheme, _, kind = parts.scheme.partition("+")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    cluster = options.pop("cluster", None)
    is_cluster = cluster is not None and cluster.lower() in TRUE
    if scheme not in ("redis", "rediss", "unix") or kind not in ("", "sentinel", "cluster"):
        raise ValueError("want redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")
    if not kind and not is_cluster:
        return Address("single", url=url if cluster is None else _without_cluster(parts, options))
    if scheme == "unix" or (kind == "sentinel" and is_cluster):
        raise ValueError("a Unix socket is neither a Cluster nor Sentinel, and Sentinel is no Cluster")
    return _several(kind or "cluster", parts.netloc, parts.path, tls=scheme == "rediss", options=options)


def _without_cluster(parts: SplitResult, options: dict[str, str]) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{urlencode(options)}" if options else "")


def _several(kind: str, netloc: str, path: str, *, tls: bool, options: dict[str, str]) -> Address:
    user, _, hosts = netloc.rpartition("@")
    username, _, password = user.partition(":")
    first = SENTINEL_PORT if kind == "sentinel" else DEFAULT_PORT
    names = [unquote(name) for name in path.split("/") if name]
    if kind == "sentinel" and not 1 <= len(names) <= 2:
        raise ValueError(
            "Sentinel wants the service's name: redis+sentinel://HOST:PORT/SERVICE or …/SERVICE/DB"
        )
    service, db = (names[0], names[1:]) if kind == "sentinel" else ("", names)
    return Address(
        "sentinel" if kind == "sentinel" else "cluster",
        nodes=tuple(_node(host, first) for host in hosts.split(",")),
        service=service,
        db=_database(kind, db),
        username=unquote(username),
        password=unquote(password),
        tls=tls,
        options=options,
    )


def _database(kind: str, names: list[str]) -> int:
    if not names:
        return 0
    if len(names) > 1 or not names[0].isdecimal() or (kind == "cluster" and int(names[0])):
        raise ValueError("a database is a number, and a Cluster has only 0")
    return int(names[0])


def _node(text: str, default: int) -> Node:
    parts = urlsplit(f"//{text}")
    try:
        host, port = parts.hostname, parts.port or default
    except ValueError:
        host, port = None, 0
    if not host:
        raise ValueError("want HOST:PORT, several of them with commas between")
    return host, port
