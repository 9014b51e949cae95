"""P: Which addresses may use a route (`ip`), compiled: networks as sorted ranges of numbers, found by halving.

Ten thousand networks cost hardly more than ten: one search in a sorted list. IPv4 addresses inside IPv6 (::ffff:0:0/96,
RFC 4291 section 2.5.5.2) are IPv4 addresses, in lists and in requests.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final, Literal

from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.access import IpSpec

Verdict = Literal["", "denied", "not allowed"]
"""Why an address may not pass; empty: it may."""
_MAPPED: Final = 96
LONGEST_ADDRESS: Final = 64  # an IPv6 address with the name of an interface

_Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers, as ranges that neither touch nor overlap, in order; both ends belong to a range."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def has(self, number: int) -> bool:
        at = bisect_right(self.starts, number)
        return at > 0 and number <= self.ends[at - 1]


@dataclass(frozen=True, slots=True)
class Networks:
    """A set of addresses of both versions."""

    v4: Ranges = Ranges()
    v6: Ranges = Ranges()
    size: int = 0
    """How many networks it was made of."""

    def has(self, version: int, number: int) -> bool:
        return (self.v4 if version == 4 else self.v6).has(number)


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Who may come, by address. `allow` None: everybody who is not denied."""

    allow: Networks | None
    deny: Networks
    is_enforced: bool = True

    def judge(self, address: str) -> Verdict:
        """What is no address belongs to no network: it is not denied, and not allowed where somebody is named."""
        numbered = numbered_address(address)
        if numbered is not None and self.deny.has(*numbered):
            return "denied"
        if self.allow is None:
            return ""
        return "" if numbered is not None and self.allow.has(*numbered) else "not allowed"


def numbered_address(text: str) -> tuple[int, int] | None:
    """Version and number of an address; None if the text is none."""
    if len(text) > LONGEST_ADDRESS:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


def networks_of(written: Iterable[str]) -> Networks:
    """The set that networks in CIDR notation make up."""
    v4: list[_Range] = []
    v6: list[_Range] = []
    size = 0
    for text in written:
        network = _unmapped(ip_network(text))
        ranges = v4 if network.version == 4 else v6
        ranges.append((int(network.network_address), int(network.broadcast_address)))
        size += 1
    return Networks(_merged(v4), _merged(v6), size)


def addresses_of(spec: IpSpec | None) -> AddressPolicy | None:
    """A route's policy; None where it has none."""
    if spec is None or not (spec.allow or spec.deny):
        return None
    allow = networks_of(spec.allow) if spec.allow else None
    return AddressPolicy(allow, networks_of(spec.deny), spec.mode == "enforce")


def address_note(policy: AddressPolicy | None, source: str, address: str) -> Iterator[PolicyNote]:
    """What the policy makes of a client's address; "" is not known."""
    if policy is None:
        return
    details: dict[str, Any] = {
        "allow": "all" if policy.allow is None else f"{policy.allow.size} networks",
        "deny": f"{policy.deny.size} networks",
        "mode": "enforce" if policy.is_enforced else "log",
    }
    verdict: Verdict = ""
    if address:
        verdict = policy.judge(address)
        details |= {"address": address, "verdict": verdict or "may pass"}
    else:
        details["remark"] = "say the client's address to learn what becomes of it"
    yield PolicyNote("ip", source, "refuse" if verdict and policy.is_enforced else "pass", details)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if network.version == 6 and network.prefixlen >= _MAPPED:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED))
    return network


def _merged(ranges: list[_Range]) -> Ranges:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(ranges):
        if ends and start <= ends[-1] + 1:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return Ranges(tuple(starts), tuple(ends))
