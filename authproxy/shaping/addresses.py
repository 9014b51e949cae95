"""I: The step that asks where a request comes from; behind trusted proxies, the client's address counts."""

from typing import Final

from authproxy.exchange import Exchange
from authproxy.rejections import Code, Rejection
from authproxy.shaping.logonly import concluded
from routing.shapes.addresses import LONGEST_ADDRESS, AddressPolicy, Verdict

POLICY: Final = "ip"
REFUSAL: Final = Rejection(Code.FORBIDDEN, "This is not served to your address.")
"""The same whichever rule it is: nobody learns the lists by trying."""
_MOST_REMEMBERED: Final = 4096


class Addresses:
    """One route's. Remembers what it made of the latest few thousand addresses."""

    __slots__ = ("_known", "_policy")

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._known: dict[str, Verdict] = {}

    def step(self, exchange: Exchange) -> Rejection | None:
        address = exchange.origin.client_ip
        verdict = self._known.get(address)
        if verdict is None:
            verdict = self._judged(address)
        if not verdict:
            return None
        return concluded(exchange, POLICY, verdict, REFUSAL, is_enforced=self._policy.is_enforced)

    def _judged(self, address: str) -> Verdict:
        verdict = self._policy.judge(address)
        if len(address) <= LONGEST_ADDRESS:  # a proxy may pass anything on
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[address] = verdict
        return verdict
