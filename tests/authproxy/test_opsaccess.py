"""Who may read what operators read."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.opsaccess import OpsAccess, is_open, is_private, refusal_of

FORWARDED = [(b"x-forwarded-for", b"203.0.113.9")]


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.31.255.255", True),
        ("172.32.0.1", False),
        ("192.168.7.8", True),
        ("::1", True),
        ("fd00::1", True),
        ("fd00::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("192.0.2.1", False),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("100.64.0.1", False),  # of providers, shared by strangers
        (
            "198.18.0.1",
            False,
        ),  # for benchmarks; Python calls it private, but routers may be set up to pass it on
        ("0.0.0.0", False),
        ("2001:db8::1", False),
        ("", False),
        ("unknown", False),
        ("localhost", False),
        ("10.0.0.1, 8.8.8.8", False),
        ("1" * 5000, False),
    ],
)
def test_private_addresses(address: str, private: bool) -> None:
    """Only what nobody on the internet can have."""
    assert is_private(address) is private


@pytest.mark.parametrize(
    ("access", "client", "opened"),
    [
        ("restricted", "127.0.0.1", False),
        ("private", "127.0.0.1", True),
        ("private", "203.0.113.9", False),
        ("public", "203.0.113.9", True),
        ("public", "", True),
    ],
)
def test_access(access: OpsAccess, client: str, opened: bool) -> None:
    """By the setting, and where it says so by the address."""
    assert is_open(access, client=client, peer=client, headers=[]) is opened


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"Forwarded", b"x-real-ip"])
def test_a_proxy_that_nobody_trusts_opens_nothing(name: bytes) -> None:
    """It stands on this machine, and those it speaks for may be anywhere; a trusted one says who they are."""
    headers = [(b"host", b"x"), (name, b"203.0.113.9")]
    assert not is_open("private", client="127.0.0.1", peer="127.0.0.1", headers=headers)
    assert is_open("private", client="10.0.0.7", peer="127.0.0.1", headers=headers)
    assert not is_open("private", client="203.0.113.9", peer="127.0.0.1", headers=headers)
    assert is_open("public", client="127.0.0.1", peer="127.0.0.1", headers=headers)


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(get_args(OpsAccess)))
def test_no_text_opens_what_is_not_public(client: str, peer: str, access: OpsAccess) -> None:
    """What proxies pass on as an address may be anything."""
    if is_open(access, client=client, peer=peer, headers=FORWARDED):
        assert access == "public" or is_private(client)


def caller(*, is_staff: bool) -> Identity:
    return Identity(method="jwt", kind="user", name="ann", consumer="ann", is_staff=is_staff)


@pytest.mark.parametrize(
    ("scope", "access", "refused"),
    [
        ({SCOPE_IDENTITY: caller(is_staff=True)}, "restricted", None),
        ({SCOPE_IDENTITY: caller(is_staff=False)}, "restricted", (403, "level", "admin")),
        ({SCOPE_AUTH_FAILURE: "expired"}, "restricted", (401, "reason", "expired")),
        ({}, "private", (401, "reason", "missing")),
        ({SCOPE_CLIENT: "10.0.0.1"}, "private", None),
        ({}, "public", None),
    ],
)
def test_who_is_refused(
    scope: dict[str, Any], access: OpsAccess, refused: tuple[int, str, str] | None
) -> None:
    """Staff may always; others as OPS_ACCESS says."""
    rejection = refusal_of({"headers": [], **scope}, access, realm="torana")
    if refused is None:
        assert rejection is None
        return
    status, detail, value = refused
    assert rejection is not None
    assert (rejection.status, rejection.details[detail]) == (status, value)
