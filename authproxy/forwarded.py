"""P: Who the client is behind proxies, and the forwarding fields that the upstream gets.

X-Forwarded-For/Host/Proto and Forwarded (RFC 7239). What a peer says is believed only if the peer is in
TRUSTED_PROXIES; the chain is walked from the right, and the first address that is not a trusted proxy is the client.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from authproxy.fieldlines import FieldLines
from authproxy.headers import Pair

VIA: Final[Pair] = (b"via", b"1.1 torana")
_CACHE_SIZE: Final = 4096
_LONGEST_ADDRESS: Final = 64  # an IPv6 address with the name of an interface
_NODE: Final = re.compile(r"[A-Za-z0-9._:%-]+")
_REBUILT: Final = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded"})


@dataclass(frozen=True, slots=True)
class Origin:
    """The client as the gateway sees it, and the fields that tell the upstream."""

    client_ip: str
    scheme: str
    fields: Sequence[Pair]


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
        if not self._networks or len(address) > _LONGEST_ADDRESS:
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
        listed = said.get(b"x-forwarded-for")
        # Where there are both, Forwarded may be the client's own: proxies that set one pass the other on.
        earlier = said.get(b"forwarded", b"") if listed is None else b""
        elements = _elements(earlier)
        nodes = (
            listed.split(b",") if listed is not None else [element.get(b"for", b"") for element in elements]
        )
        chain = [address for node in nodes if (address := _bare(node))]
        client = peer
        for hop in reversed(chain):
            client = hop
            if not self.is_trusted(hop):
                break
        last = elements[-1] if elements else {}
        shown_host = _last(said.get(b"x-forwarded-host")) or _unquoted(last.get(b"host", b"")) or host
        proto = (_last(said.get(b"x-forwarded-proto")) or _unquoted(last.get(b"proto", b""))).lower()
        shown_scheme = proto.decode("ascii") if proto in (b"http", b"https") else scheme
        hops = [earlier] if earlier else [_for(address) for address in chain]
        fields = (
            *(pair for pair in claimed if pair[0] not in _REBUILT and b"_" not in pair[0]),
            (b"x-forwarded-for", ", ".join([*chain, peer]).encode("latin-1")),
            *_host(shown_host),
            (b"x-forwarded-proto", shown_scheme.encode("ascii")),
            (b"forwarded", b", ".join([*hops, _element(peer, shown_host, shown_scheme)])),
            VIA,
        )
        return Origin(client, shown_scheme, fields)


def _direct(peer: str, host: bytes, scheme: str) -> Origin:
    fields = (
        (b"x-forwarded-for", peer.encode("latin-1")),
        *_host(host),
        (b"x-forwarded-proto", scheme.encode("ascii")),
        (b"forwarded", _element(peer, host, scheme)),
        VIA,
    )
    return Origin(peer, scheme, FieldLines(fields))


def _host(host: bytes) -> tuple[Pair, ...]:
    """An HTTP/1.0 client may have sent none."""
    return ((b"x-forwarded-host", host),) if host else ()


def _element(address: str, host: bytes, scheme: str) -> bytes:
    """One Forwarded element (RFC 7239 section 4)."""
    parts = [_for(address)]
    if host:
        parts.append(b'host="' + host.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
    parts.append(b"proto=" + scheme.encode("ascii"))
    return b";".join(parts)


def _for(address: str) -> bytes:
    """Addresses with a colon are bracketed and quoted; what can be no address is unknown (sections 4 and 6)."""
    if not _NODE.fullmatch(address):
        return b"for=unknown"
    return (f'for="[{address}]"' if ":" in address else f"for={address}").encode("ascii")


def _join(claimed: Sequence[Pair]) -> dict[bytes, bytes]:
    """Repeated fields as one comma-separated value (RFC 9110 section 5.3)."""
    joined: dict[bytes, bytes] = {}
    for name, value in claimed:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def _elements(forwarded: bytes) -> list[dict[bytes, bytes]]:
    """The elements of a Forwarded field, client first, as their pairs; values are still quoted."""
    elements = []
    for element in filter(None, forwarded.split(b",")):
        pairs = (pair.strip().partition(b"=") for pair in element.split(b";"))
        elements.append({name.lower(): value for name, _, value in pairs})
    return elements


def _last(listed: bytes | None) -> bytes:
    """The last of a comma-separated list: what the nearest proxy said."""
    return listed.rpartition(b",")[2].strip() if listed else b""


def _unquoted(value: bytes) -> bytes:
    return value.strip().strip(b'"').replace(b"\\", b"")


def _bare(node: bytes) -> str:
    """An address without quotes, brackets and port: `"[2001:db8::1]:4711"` is 2001:db8::1."""
    text = node.strip().strip(b'"').decode("latin-1")
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        return text.partition(":")[0]
    return text
