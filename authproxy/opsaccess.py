"""P: Who may read what operators read (detailed health, discovery) without their level: OPS_ACCESS.

restricted   nobody
private      loopback and private addresses, behind TRUSTED_PROXIES
public       anybody

A request that says that it was forwarded, by somebody who is not trusted, has no address that anybody knows: a proxy on
this machine that nobody named in TRUSTED_PROXIES does not let the whole world read.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final, Literal

from authproxy import problems
from authproxy.credentials import METHODS
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY, Scope
from authproxy.identity import Identity
from authproxy.rejections import Rejection

OpsAccess = Literal["restricted", "private", "public"]
_LONGEST: Final = 64
_PRIVATE: Final = tuple(
    map(ip_network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"))
)
_FORWARDING: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


def is_open(access: OpsAccess, *, client: str, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether this request may read without credentials.

    `client` is its address behind trusted proxies, `peer` whoever is connected.
    """
    if access != "private":
        return access == "public"
    return is_private(client) and (
        client != peer or not any(name.lower() in _FORWARDING for name, _ in headers)
    )


def refusal_of(scope: Scope, access: OpsAccess, *, realm: str) -> Rejection | None:
    """Why a request to a built-in endpoint may not read what operators read; None where it may."""
    peer, client = scope.get("client"), scope.get(SCOPE_CLIENT, "")
    if is_open(access, client=client, peer=peer[0] if peer else "", headers=scope["headers"]):
        return None
    identity: Identity | None = scope.get(SCOPE_IDENTITY)
    if identity is None:
        reason: problems.Reason = scope.get(SCOPE_AUTH_FAILURE) or "missing"
        return problems.unauthenticated(reason, methods=METHODS, realm=realm)
    return None if identity.is_staff else problems.forbidden({"level": "admin"})


@lru_cache(maxsize=1024)
def is_private(address: str) -> bool:
    """Loopback, and what no router of the internet passes on (RFC 1918, RFC 4193). What is no address is not."""
    if len(address) > _LONGEST:
        return False
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _PRIVATE)
