"""P: How long failed sign-ins make the next one wait, and registrations the next one. Times are in epoch seconds."""

import ipaddress
import unicodedata
from dataclasses import dataclass
from typing import Final

_MOST_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Rule:
    """The failure number `allowed` makes the next attempt wait; each further one doubles the wait, up to a cap.

    One failure is forgiven every `forgiven_every_s`: in the long run, nobody guesses faster than that, and people who
    mistype no faster than that, all behind one address, never wait.
    """

    allowed: int
    first_wait_s: float
    longest_wait_s: float
    forgiven_every_s: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What is kept of the failures of one bucket."""

    failures: int = 0
    last_at: float = 0.0
    locked_until: float = 0.0

    def wait_s(self, now: float) -> float:
        """How long until another attempt is looked at; 0 for at once."""
        return max(0.0, self.locked_until - now)


PAIR: Final = Rule(allowed=5, first_wait_s=10, longest_wait_s=900, forgiven_every_s=900)
"""One account from one address: where somebody guesses, or mistypes."""
ADDRESS: Final = Rule(allowed=30, first_wait_s=10, longest_wait_s=900, forgiven_every_s=60)
"""One address, many accounts: a list of stolen passwords being tried."""
ACCOUNT: Final = Rule(allowed=30, first_wait_s=10, longest_wait_s=300, forgiven_every_s=60)
"""One account from many addresses. Never judges an address from which the account signed in before."""
REGISTRATION: Final = Rule(allowed=20, first_wait_s=10, longest_wait_s=900, forgiven_every_s=180)
"""Accounts that one address asks for, whether it gets them or not: a class may, a program may not go on and on."""


def after_failure(tally: Tally, rule: Rule, now: float) -> Tally:
    """The tally with one more failure in it."""
    forgiven = int(max(0.0, now - tally.last_at) / rule.forgiven_every_s)
    failures = max(0, tally.failures - forgiven) + 1
    over = failures - rule.allowed
    if over < 0:
        return Tally(failures, now)
    wait = min(rule.first_wait_s * 2 ** min(over, _MOST_DOUBLINGS), rule.longest_wait_s)
    return Tally(failures, now, now + wait)


def folded(name: str) -> str:
    """One spelling of an account's name for all that look alike to a person."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, which is what one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
