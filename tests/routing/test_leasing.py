"""Registrations as services send them, every fault at once, and targets that are let go of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.leaseaddresses import Premises
from routing.leasing import (
    ABANDONED_S,
    FIELDS,
    Checked,
    Fault,
    Registration,
    lapsed,
    read_registration,
)

HERE = Premises(allows_loopback=False, ports=frozenset({8000}))
WANTED: dict[str, Any] = {"service_name": "context_service", "host": "context-service", "port": 8001}


def faults(**fields: Any) -> list[tuple[str, str]]:
    """Field and code of each."""
    found = read_registration({**WANTED, **fields}, HERE)
    assert not isinstance(found, Registration)
    return [(fault.field, fault.code) for fault in found]


def accepted(**fields: Any) -> Registration:
    found = read_registration({**WANTED, **fields}, HERE)
    assert isinstance(found, Registration), found
    return found


def test_three_fields_are_enough() -> None:
    """The others have their usual values."""
    assert accepted() == Registration("context_service", "context-service", 8001)


def test_everything_that_clients_send() -> None:
    """As the contract lists it; durations are seconds or texts, and nothing is as good as left out."""
    found = accepted(check_endpoint="/up?x=1", check_interval="15s", weight=3, ttl=30, scheme="https")
    assert found == Registration("context_service", "context-service", 8001, "https", "/up?x=1", 15, 3, 30)
    assert accepted(ttl=None, weight=None) == accepted()
    assert accepted(check_interval=1.5).check_interval_s == 1.5


@pytest.mark.parametrize(
    ("host", "scheme", "url"),
    [
        ("orders", None, "http://orders:8001"),
        ("Orders.", "https", "https://orders:8001"),
        ("[2001:DB8::1]", None, "http://[2001:db8::1]:8001"),
        ("10.0.0.7", None, "http://10.0.0.7:8001"),
    ],
)
def test_url(host: str, scheme: str | None, url: str) -> None:
    """In one spelling, so that one address is one URL."""
    assert accepted(host=host, scheme=scheme).url("http") == url


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("service_name", "", "name"),
        ("service_name", "a b", "name"),
        ("service_name", "a" * 101, "name"),
        ("service_name", 7, "name"),
        ("service_name", None, "missing"),
        ("host", None, "missing"),
        ("host", 7, "host"),
        ("host", "a/b", "host"),
        ("host", "http://orders", "scheme"),
        ("host", "ftp://orders", "scheme"),
        ("host", "169.254.169.254", "metadata"),
        ("host", "127.0.0.1", "loopback"),
        ("host", "0.0.0.0", "unspecified"),
        ("port", None, "missing"),
        ("port", 0, "number"),
        ("port", 65_536, "number"),
        ("port", "8001", "number"),
        ("port", True, "number"),
        ("port", 80.0, "number"),
        ("weight", 0, "number"),
        ("weight", 10**30, "number"),
        ("ttl", 0.5, "duration"),
        ("ttl", 86_401, "duration"),
        ("ttl", "soon", "duration"),
        ("ttl", True, "duration"),
        ("ttl", [], "duration"),
        ("ttl", float("nan"), "duration"),
        ("ttl", 10**400, "duration"),
        ("check_interval", -1, "duration"),
        ("check_endpoint", "health", "path"),
        ("check_endpoint", "http://elsewhere/", "path"),
        ("check_endpoint", "/a b", "path"),
        ("check_endpoint", "/a#b", "path"),
        ("check_endpoint", "/a\r\nHost: x", "path"),
        ("scheme", "ftp", "scheme"),
        ("scheme", ["http"], "scheme"),
        ("tll", 30, "unknown"),
    ],
)
def test_one_fault(field: str, value: Any, code: str) -> None:
    """Each has its field and a code that stays."""
    assert faults(**{field: value}) == [(field, code)]


def test_all_faults_at_once() -> None:
    """In the order of the fields; those that nobody knows come last, with what may have been meant."""
    found = read_registration({"wieght": 1, "ttl": 0, "port": 0, "host": "a b", "service_name": "-"}, HERE)
    assert isinstance(found, tuple)
    assert [fault.field for fault in found] == ["service_name", "host", "port", "ttl", "wieght"]
    assert 'did you mean "weight"?' in found[-1].message
    assert [fault.code for fault in read_registration({}, HERE)] == ["missing"] * 3  # type: ignore[union-attr]


def test_the_gateways_own_address() -> None:
    """A circle is seen where the port is the gateway's, and where the port is no port nothing else is said."""
    assert faults(host="127.0.0.1", port=8000) == [("host", "itself")]
    assert faults(host="10.0.0.1", port="x") == [("port", "number")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=12), JSON, max_size=10))
def test_whatever_is_sent_is_read_or_refused(raw: dict[str, Any]) -> None:
    """Never an exception; a fault has a field, a code and a sentence."""
    found = read_registration(raw, HERE)
    if isinstance(found, Registration):
        assert set(raw) <= set(FIELDS)
        assert found.url("http").startswith(("http://", "https://"))
    else:
        assert found
        assert all(isinstance(fault, Fault) and fault.code and fault.message for fault in found)


def checked(lease: str, passes: bool | None, failing_s: float | None, **more: Any) -> Checked:
    return Checked(lease, more.get("service", "orders"), 10.0, more.get("has_ttl", False), passes, failing_s)


@pytest.mark.parametrize(
    ("leases", "gone"),
    [
        ([checked("a", False, 30.0), checked("b", True, None)], ["a"]),
        ([checked("a", False, 29.9), checked("b", True, None)], []),
        ([checked("a", False, 300.0), checked("b", False, 300.0)], []),
        ([checked("a", False, 300.0), checked("b", None, None)], []),
        ([checked("a", False, 300.0), checked("b", True, None, service="other")], []),
        ([checked("a", False, ABANDONED_S)], ["a"]),
        ([checked("a", False, 300.0, has_ttl=True), checked("b", True, None)], []),
        ([checked("a", None, None)], []),
    ],
)
def test_lapsing(leases: list[Checked], gone: list[str]) -> None:
    """Three failed intervals end a lease without ttl, unless nothing of its service answers: then after a day."""
    assert lapsed(leases) == gone


@given(st.lists(st.builds(checked, st.uuids().map(str), st.just(False), st.floats(0, ABANDONED_S - 1))))
def test_a_split_empties_no_pool(leases: list[Checked]) -> None:
    """As long as all checks fail, nothing lapses."""
    assert lapsed(leases) == []
