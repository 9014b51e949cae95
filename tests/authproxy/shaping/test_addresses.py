"""Where a request comes from."""

from authproxy.shaping.addresses import Addresses
from authproxy.shaping.logonly import JUDGEMENTS
from routing.shapes.addresses import AddressPolicy, networks_of
from tests.support.exchanges import exchange


def step(address: str, *, enforced: bool = True, route: str = "r") -> object:
    policy = AddressPolicy(networks_of(["10.0.0.0/8"]), networks_of(["10.1.0.0/16"]), enforced)
    return Addresses(policy).step(exchange(client=address, route=route))


def test_whoever_may_come_passes() -> None:
    """Without a word."""
    assert step("10.2.0.1") is None


def test_refusals_do_not_tell_which_rule_it_was() -> None:
    """Denied or not allowed: nobody learns the lists by trying."""
    denied, unlisted = step("10.1.0.1"), step("192.0.2.1")

    assert denied == unlisted
    assert denied is not None
    assert denied.status == 403  # type: ignore[attr-defined]
    assert denied.details == {}  # type: ignore[attr-defined]


def test_log_counts_and_lets_pass() -> None:
    """By the reason, which only operators see."""
    before = JUDGEMENTS.would_refuse["counted-route", "ip", "denied"]

    assert step("10.1.0.1", enforced=False, route="counted-route") is None
    assert JUDGEMENTS.would_refuse["counted-route", "ip", "denied"] == before + 1


def test_what_is_remembered_is_bounded() -> None:
    """Neither many addresses nor a long one that a proxy passed on stay."""
    addresses = Addresses(AddressPolicy(None, networks_of(["10.0.0.0/8"])))
    for number in range(5000):
        assert addresses.step(exchange(client=f"192.0.{number // 256}.{number % 256}")) is None
    addresses.step(exchange(client="x" * 1000))

    assert len(addresses._known) <= 4096
    assert "x" * 1000 not in addresses._known
