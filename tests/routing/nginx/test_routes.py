"""What a location does with a request."""

from pathlib import Path
from typing import Any

import pytest

from routing.foreign import NotReadable
from routing.nginx.converting import convert


def made(
    folder: Path, location: str, around: str = "", path: str = "/"
) -> tuple[dict[str, Any] | None, list[str]]:
    file = folder / "nginx.conf"
    file.write_text(
        f"http {{ limit_req_zone $http_x_key zone=few:1m rate=30r/m;\n{around}\n"
        f"server {{ location {path} {{ {location} }} }} }}"
    )
    found = convert(file)
    routes = found.document["routes"]
    return (routes[0] if routes else None), list(found.not_carried)


@pytest.mark.parametrize(
    ("location", "key", "value"),
    [
        ("internal; proxy_pass http://a;", "respond", {"status": 404}),
        ("proxy_pass http://a; ssl_verify_client on;", "auth", {"level": "user"}),
        ("proxy_pass http://a; ssl_verify_client optional;", "auth", {"level": "public"}),
        ("proxy_pass http://a; deny all; allow 10.0.0.0/8;", "ip", {"allow": ["0.0.0.0/32"]}),
        ("return 204;", "respond", {"status": 204, "headers": {}, "body": ""}),
        ("return 301 https://$host$request_uri;", "redirect", {"status": 301, "scheme": "https"}),
        (
            "return 308 http://b.test:81/x$request_uri;",
            "redirect",
            {"status": 308, "scheme": "http", "host": "b.test", "port": 81, "path": {"prefix": "/x"}},
        ),
        ("proxy_pass http://a; auth_basic x;", "auth", {"level": "user"}),
        ("proxy_pass http://a; auth_basic off;", "auth", {"level": "public"}),
        ("proxy_pass http://a; allow 10.0.0.0/8; deny all;", "ip", {"allow": ["10.0.0.0/8"]}),
        ("proxy_pass http://a; deny 10.0.0.1; allow all;", "ip", {"deny": ["10.0.0.1"]}),
        ("proxy_pass http://a; client_max_body_size 2g;", "limits", {"max_body": "2GB"}),
        ("proxy_pass http://a;", "limits", {"max_body": "1MB"}),
        ("proxy_pass http://a; gzip on;", "compress", True),
        ("proxy_pass http://a; proxy_cache c; proxy_cache_valid 200 5m;", "cache", {"ttl": "5m"}),
        ("proxy_pass http://a; limit_req zone=few burst=3 nodelay;", "quotas", ["few-burst-3"]),
        ("proxy_pass http://a; proxy_set_header Host b.test;", "rewrite", {"host": "b.test"}),
        ("proxy_pass http://a; proxy_set_header Upgrade $http_upgrade;", "websocket", {"enabled": True}),
        ("proxy_pass http://a; proxy_hide_header Server;", "response_headers", {"remove": ["Server"]}),
    ],
)
def test_what_means_the_same(location: str, key: str, value: object, tmp_path: Path) -> None:
    """Each in the document's words."""
    route, _ = made(tmp_path, location)
    assert route is not None
    assert route[key] == value


def test_a_block_forgets_what_stands_around_it(tmp_path: Path) -> None:
    """Of a directive that it has itself; all else is inherited."""
    route, _ = made(
        tmp_path,
        "proxy_pass http://a; add_header X-Own 1 always;",
        "add_header X-Outer 1 always; client_max_body_size 0; proxy_set_header X-Sent yes;",
    )
    assert route is not None
    assert route["response_headers"] == {"add": {"X-Own": "1"}}
    assert route["request_headers"] == {"set": {"X-Sent": "yes"}}
    assert "limits" not in route


@pytest.mark.parametrize(
    ("location", "said", "is_there"),
    [
        ("root /srv;", "root: only requests that are proxied", False),
        ("grpc_pass grpc://a;", "grpc_pass", False),
        ("expires 1h;", "it sends nothing anywhere", False),
        ("return 302 /x$arg_y;", "the address has variables", False),
        ("proxy_pass http://$arg_to;", "only fixed addresses", False),
        ("proxy_pass http://a; if ($x) { set $y 1; }", "if ($x): is not carried over", True),
        ("proxy_pass http://a; rewrite a b last;", "rewrite … last", True),
        ("proxy_pass http://a; limit_req zone=none;", "limit_req zone=none", True),
        ("proxy_pass http://a; limit_req zone=few burst=2;", "without nodelay", True),
        (
            "proxy_pass http://a; proxy_set_header X $upstream_addr;",
            "proxy_set_header X $upstream_addr",
            True,
        ),
        ("proxy_pass http://a; add_header X $request_time;", "add_header X $request_time", True),
        ("proxy_pass http://a; auth_request /who;", "auth_request: has no counterpart", True),
        ("return 444;", "return 444", True),
    ],
)
def test_what_is_not_carried_over_is_named(location: str, said: str, is_there: bool, tmp_path: Path) -> None:
    """With file and line. Nothing else takes the requests of a location that is not there."""
    route, lines = made(tmp_path, location)
    assert any(said in line and line.startswith("nginx.conf:") for line in lines), lines
    assert route is not None
    assert (route.get("respond") != {"status": 501}) is is_there


@pytest.mark.parametrize(
    "location",
    [
        "auth_basic x;", "auth_request /who;", "auth_jwt x;", "satisfy any; allow 192.0.2.1; deny all;",
        "ssl_verify_client on;", "if ($http_x) { return 403; }", "if ($invalid_referer) { return 403; }",
        "if ($http_x ~ a) { set $y 1; return 401; }", "if ($http_x ~ '(') { return 403; }",
        "if (-f $file) { return 404; }",
        "if ($remote_addr = 192.0.2.1) { deny all; }", "limit_except GET { allow 192.0.2.1; deny all; }",
        "if ($http_x = a) { return 403; } if ($http_x = b) { return 401; } if ($http_x != c) { return 400; }",
    ],
)  # fmt: skip
def test_what_refuses_without_a_counterpart_closes_the_route(location: str, tmp_path: Path) -> None:
    """For everybody, and the line says so."""
    route, lines = made(tmp_path, f"proxy_pass http://a; {location}")
    assert route is not None
    assert route["ip"] == {"deny": ["0.0.0.0/0", "::/0"]}
    assert route["auth"] == {"level": "user"}
    assert any("CLOSED" in line and line.startswith("nginx.conf:") for line in lines), lines


def test_what_is_behind_all_never_counts(tmp_path: Path) -> None:
    """The first rule that fits decides."""
    route, _ = made(tmp_path, "proxy_pass http://a; deny all; allow 192.0.2.1;")
    assert route is not None
    assert route["ip"] == {"allow": ["0.0.0.0/32"]}


def test_nothing_is_filled_in_from_the_environment(tmp_path: Path) -> None:
    """nginx writes its own variables so."""
    route, _ = made(tmp_path, 'return 200 "${host}";')
    assert route is not None
    assert route["respond"]["body"] == "$${host}"


@pytest.mark.parametrize(
    "location",
    [
        "client_max_body_size lots;",
        "proxy_read_timeout soon;",
        "proxy_set_header;",
        "add_header X;",
        "allow;",
    ],
)
def test_values_of_another_kind_say_where(location: str, tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(NotReadable, match=r"nginx.conf:3: "):
        made(tmp_path, f"proxy_pass http://a; {location}")
