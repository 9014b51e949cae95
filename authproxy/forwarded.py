"""P: Who the client is behind proxies, and the forwarding fields that the upstream gets.

X-Forwarded-For/Host/Proto and Forwarded (RFC 7239). What a peer says is believed only if the peer is in
TRUSTED_PROXIES; the chain is walked from the right, and the first address that is not a trusted proxy is the client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from authproxy.headers import Pair

VIA: Final[Pair] = (b"via", b"1.1 torana")
_CACHE_SIZE: Final = 4096


@dataclass(frozen=True, slots=True)
class Origin:
    """The client as the gateway sees it, and the fields that tell the upstream."""

    client_ip: str
    scheme: str
    fields: tuple[Pair, ...]


class ForwardingFields:
    """Builds `Origin`s; remembers the latest few thousand for callers that come straight to the gateway."""

    __slots__ = ("_cache", "_networks", "_trusted")

    def __init__(self, trusted_proxies: Sequence[str] = ()) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(cidr, strict=False) for cidr in trusted_proxies
        )
        self._trusted: dict[str, bool] = {}
        self._cache: dict[tuple[str, bytes, str], Origin] = {}

    def origin(self, *, peer: str, host: bytes, scheme: str, claimed: Sequence[Pair] | None) -> Origin:
        """`claimed` are the forwarding fields of the request, in order; None when it had none."""
        if claimed is not None and self.is_trusted(peer):
            return self._behind_proxy(peer, host, scheme, claimed)
        key = (peer, host, scheme)
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            found = self._cache[key] = _direct(peer, host, scheme)
        return found

    def is_trusted(self, address: str) -> bool:
        """Is `address` inside TRUSTED_PROXIES? What does not parse is not trusted."""
        if not self._networks:
            return False
        known = self._trusted.get(address)
        if known is None:
            if len(self._trusted) >= _CACHE_SIZE:
                self._trusted.clear()
            known = self._trusted[address] = self._is_inside(address)
        return known

    def _is_inside(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if parsed.version == 6 and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)

    def _behind_proxy(self, peer: str, host: bytes, scheme: str, claimed: Sequence[Pair]) -> Origin:
        said = _join(claimed)
        chain = _addresses(said)
        client = peer
        for hop in reversed(chain):
            client = hop
            if not self.is_trusted(hop):
                break
        shown_host = said.get(b"x-forwarded-host", host).rsplit(b",", 1)[-1].strip() or host
        proto = said.get(b"x-forwarded-proto", b"").rsplit(b",", 1)[-1].strip().lower()
        shown_scheme = proto.decode("ascii") if proto in (b"http", b"https") else scheme
        element = _element(peer, shown_host, shown_scheme)
        earlier = said.get(b"forwarded")
        fields = (
            (b"x-forwarded-for", ", ".join([*chain, peer]).encode("latin-1")),
            (b"x-forwarded-host", shown_host),
            (b"x-forwarded-proto", shown_scheme.encode("ascii")),
            (b"forwarded", earlier + b", " + element if earlier else element),
            VIA,
        )
        return Origin(client, shown_scheme, fields)


def _direct(peer: str, host: bytes, scheme: str) -> Origin:
    return Origin(
        peer,
        scheme,
        (
            (b"x-forwarded-for", peer.encode("latin-1")),
            (b"x-forwarded-host", host),
            (b"x-forwarded-proto", scheme.encode("ascii")),
            (b"forwarded", _element(peer, host, scheme)),
            VIA,
        ),
    )


def _element(address: str, host: bytes, scheme: str) -> bytes:
    """One Forwarded element (RFC 7239 section 4): addresses with a colon are bracketed and quoted."""
    node = f'"[{address}]"' if ":" in address else (address or "unknown")
    parts = [f"for={node}".encode("latin-1")]
    if host:
        parts.append(b'host="' + host.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
    parts.append(b"proto=" + scheme.encode("ascii"))
    return b";".join(parts)


def _join(claimed: Sequence[Pair]) -> dict[bytes, bytes]:
    """Repeated fields as one comma-separated value (RFC 9110 section 5.3)."""
    joined: dict[bytes, bytes] = {}
    for name, value in claimed:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def _addresses(said: dict[bytes, bytes]) -> list[str]:
    """The chain of addresses, client first: X-Forwarded-For, else the `for` parts of Forwarded."""
    listed = said.get(b"x-forwarded-for")
    if listed is not None:
        return [address for part in listed.split(b",") if (address := _bare(part))]
    chain = []
    for element in said.get(b"forwarded", b"").split(b","):
        for pair in element.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name.lower() == b"for" and (address := _bare(value)):
                chain.append(address)
    return chain


def _bare(node: bytes) -> str:
    """An address without quotes, brackets and port: `"[2001:db8::1]:4711"` is 2001:db8::1."""
    text = node.strip().strip(b'"').decode("latin-1")
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        return text.partition(":")[0]
    return text
