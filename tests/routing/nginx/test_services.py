"""Where proxy_pass sends."""

from pathlib import Path
from typing import Any

import pytest

from routing.nginx.converting import convert
from routing.nginx.services import duration


def made(
    folder: Path, upstream: str, location: str = "proxy_pass http://pool;"
) -> tuple[list[Any], list[str]]:
    file = folder / "nginx.conf"
    file.write_text(f"http {{ upstream pool {{ {upstream} }}\n server {{ location / {{ {location} }} }} }}")
    found = convert(file)
    return found.document["services"], list(found.not_carried)


def test_an_upstream_block(tmp_path: Path) -> None:
    """Its servers, what they are worth, and when they are left alone for a while."""
    [service], said = made(
        tmp_path,
        "ip_hash; server a:1 weight=2; server b:2 backup max_fails=3 fail_timeout=1m; server c:3 down;",
    )
    assert said == []
    assert service["targets"] == [
        {"url": "http://a:1", "weight": 2},
        {"url": "http://b:2", "backup": True},
        {"url": "http://c:3", "drain": True},
    ]
    assert (service["load_balancing"], service["hash_on"]) == ("consistent_hash", "ip")
    assert service["ejection"] == {"consecutive_errors": 3, "for": "10s", "max_percent": 100}
    assert service["retries"] == {"attempts": 2, "on": ["connect", "reset", "timeout"]}


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("", {"load_balancing": "weighted_round_robin"}),
        ("least_conn;", {"load_balancing": "least_connections"}),
        ("random two;", {"load_balancing": "random"}),
        ("hash $cookie_who;", {"load_balancing": "consistent_hash", "hash_on": {"cookie": "who"}}),
        (
            "hash $http_x_user consistent;",
            {"load_balancing": "consistent_hash", "hash_on": {"header": "x-user"}},
        ),
    ],
)
def test_balance(balance: str, expected: dict[str, Any], tmp_path: Path) -> None:
    """The way to choose among them."""
    [service], _ = made(tmp_path, f"{balance} server a:1;")
    assert {key: service[key] for key in expected} == expected
    assert "ejection" not in service
    assert service["retries"] == {"attempts": 0}


@pytest.mark.parametrize(
    ("upstream", "location", "said"),
    [
        ("hash $request_uri; server a:1;", "proxy_pass http://pool;", "hash $request_uri"),
        ("server unix:/x; server a:1;", "proxy_pass http://pool;", "server unix:/x"),
        ("server a:1;", "proxy_pass http://$where;", "proxy_pass http://$where: only fixed addresses"),
        ("server a:1;", "proxy_pass https://pool;", "certificates of targets"),
        (
            "server a:1;",
            "proxy_pass http://pool; proxy_next_upstream http_404;",
            "proxy_next_upstream http_404",
        ),
    ],
)
def test_what_is_not_carried_over_is_named(upstream: str, location: str, said: str, tmp_path: Path) -> None:
    """With file and line."""
    _, lines = made(tmp_path, upstream, location)
    assert any(said in line and line.startswith("nginx.conf:") for line in lines), lines


def test_durations() -> None:
    """Without a unit they are seconds."""
    assert [duration(text) for text in ("5", "5s", "250ms", "2m")] == ["5s", "5s", "250ms", "2m"]
    with pytest.raises(ValueError, match="is no time"):
        duration("1h 30m")
