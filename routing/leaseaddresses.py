"""P: Which addresses a service may register: none that leads to the gateway itself, to metadata, or to nobody.

What a name resolves to is only known where it is dialled. Whoever probes or dials a registered target asks `unfit`
about the address that it has found.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal, NamedTuple

Address = IPv4Address | IPv6Address
Reason = Literal[
    "unspecified", "multicast", "reserved", "metadata", "link_local", "loopback", "itself", "host"
]

_METADATA: Final[frozenset[Address]] = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ),
    )
)
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_NAT64: Final = int(ip_address("64:ff9b::")) >> 32
_MEANINGS: Final[dict[Reason, str]] = {
    "unspecified": "is no address of anybody",
    "multicast": "is a multicast address",
    "reserved": "is a reserved or broadcast address",
    "metadata": "is the metadata service of a cloud",
    "link_local": "is a link-local address",
    "loopback": "is this machine itself, which only development may register",
    "itself": "is the gateway's own address: requests would go round in circles",
    "host": "is neither a host name nor an address, alone and without a port",
}
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_NAME: Final = 253
# A resolver takes 2130706433, 0x7f.1 and 127.1 for addresses, which the checks below would not see.
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


class Unfit(NamedTuple):
    """Why an address may not be a target."""

    reason: Reason
    message: str


def _nobody(_address: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Premises:
    """Where the gateway itself is. `is_here` says whether an address is one of this machine's."""

    allows_loopback: bool
    ports: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    is_here: Callable[[str], bool] = field(default=_nobody, repr=False)


def clean_host(text: str) -> str | None:
    """A host as it is kept: lower case, IPv6 without brackets and in its short form; None if it is none."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ip_address(bare)) if "%" not in bare else None
    except ValueError:
        pass
    name = bare.lower().removesuffix(".") if bare is text else ""
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name) or _ENDS_IN_NUMBER.fullmatch(name):
        return None
    return name


def unfit_host(host: str, port: int, premises: Premises) -> Unfit | None:
    """What is wrong with a host from `clean_host`, as far as it shows before it is resolved."""
    try:
        ip_address(host)
    except ValueError:
        return _unfit_name(host, port, premises)
    return unfit(host, port, premises)


def _unfit_name(name: str, port: int, premises: Premises) -> Unfit | None:
    if name in _METADATA_NAMES:
        return _because("metadata", name)
    is_local = name == "localhost" or name.endswith((".localhost", ".localdomain"))
    if port in premises.ports and (is_local or name in premises.names):
        return _because("itself", name)
    return _because("loopback", name) if is_local and not premises.allows_loopback else None


def unfit(address: str, port: int, premises: Premises) -> Unfit | None:
    """What is wrong with an address that a target has, or that its name resolved to; None: nothing."""
    try:
        found = _embedded(ip_address(address.partition("%")[0]))
    except ValueError:
        return _because("host", address)
    reason = _kind(found)
    if port in premises.ports and reason in (None, "loopback"):
        reason = "itself" if reason == "loopback" or premises.is_here(str(found)) else reason
    if reason is None or (reason == "loopback" and premises.allows_loopback):
        return None
    return _because(reason, address)


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, or translated (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return address
    number, prefix = int(address), int(address) >> 32
    if prefix == _NAT64 or (prefix == 0 and number > 1):
        return IPv4Address(number & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour
    return inner or address


def _kind(address: Address) -> Reason | None:
    """The first that fits."""
    kinds: tuple[tuple[bool, Reason], ...] = (
        (address in _METADATA, "metadata"),
        (_is_unspecified(address), "unspecified"),
        (address.is_loopback, "loopback"),
        (address.is_link_local, "link_local"),
        (address.is_multicast, "multicast"),
        (address.version == 4 and address.is_reserved, "reserved"),
    )
    return next((reason for holds, reason in kinds if holds), None)


def _is_unspecified(address: Address) -> bool:
    """0.0.0.0/8 is "this network": a connection to it reaches this machine."""
    return address.is_unspecified or (address.version == 4 and int(address) >> 24 == 0)


def _because(reason: Reason, what: str) -> Unfit:
    return Unfit(reason, f'"{what[:100]}" {_MEANINGS[reason]}')
