import pytest

from routing.targets import find_overrides, overridden, override_key, parse_target


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "base_path", "authority"),
    [
        ("http://127.0.0.1:8001", "http", "127.0.0.1", 8001, b"", b"127.0.0.1:8001"),
        ("http://Orders.internal/", "http", "orders.internal", 80, b"", b"orders.internal"),
        ("http://h:80/base/", "http", "h", 80, b"/base", b"h"),
        ("https://h", "https", "h", 443, b"", b"h"),
        ("https://h:80/a/b", "https", "h", 80, b"/a/b", b"h:80"),
        ("http://[::1]:9000", "http", "::1", 9000, b"", b"[::1]:9000"),
        ("https://[::1]/x", "https", "::1", 443, b"/x", b"[::1]"),
    ],
)
def test_web_targets(url: str, scheme: str, host: str, port: int, base_path: bytes, authority: bytes) -> None:
    """A URL is taken apart once; its default port and final slash mean nothing."""
    target = parse_target(url)
    assert (target.scheme, target.host, target.port) == (scheme, host, port)
    assert (target.base_path, target.authority, target.socket_path) == (base_path, authority, None)
    assert target.url == url


def test_socket_targets() -> None:
    """A Unix socket has a path instead of a host."""
    target = parse_target("unix:///run/my%20app.sock")
    assert (target.scheme, target.socket_path, target.authority) == ("unix", "/run/my app.sock", b"localhost")


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("context", "CONTEXT_SERVICE_URL"),
        ("Context-Service", "CONTEXT_SERVICE_URL"),
        ("context_service", "context_service_url"),
        ("user-profile.v2", "USER_PROFILE_V2_SERVICE_URL"),
        ("context", "CONTEXT_SERVICE_SERVICE_URL"),
    ],
)
def test_overrides_are_found(name: str, variable: str) -> None:
    """Case, separators and a final _service do not matter."""
    assert find_overrides({variable: "http://h"})[override_key(name)] == variable


@pytest.mark.parametrize(
    "env", [{"_SERVICE_URL": "x"}, {"A_SERVICE_URL": " "}, {"A_SERVICE_URLS": "x"}, {"A_URL": "x"}]
)
def test_other_variables_are_not_overrides(env: dict[str, str]) -> None:
    """A name and a value are needed."""
    assert find_overrides(env) == {}


def test_one_variable_counts() -> None:
    """Of two variables for one service the first by name counts, whatever their order."""
    env = {"a_service_url": "http://2", "A_SERVICE_URL": "http://1"}
    assert find_overrides(env) == {"a": "A_SERVICE_URL"}
    assert find_overrides(dict(reversed(env.items()))) == {"a": "A_SERVICE_URL"}


def test_overridden() -> None:
    """The variable's addresses replace the targets, literally; everything else stays."""
    service = {"name": "a", "targets": [{"url": "http://old", "weight": 3}], "panic": True}
    changed = overridden(service, "A_SERVICE_URL", {"A_SERVICE_URL": " http://one:1, http://${X} ,"})
    assert changed == {
        "name": "a",
        "targets": [{"url": "http://one:1"}, {"url": "http://$${X}"}],
        "panic": True,
    }
    assert service["targets"] == [{"url": "http://old", "weight": 3}]
