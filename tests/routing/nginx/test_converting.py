"""A whole configuration of nginx. That it means the same is tested beside a real nginx."""

from pathlib import Path

import pytest

from routing.foreign import NotReadable
from routing.nginx.converting import convert
from routing.validation import check_document

SHOP = Path("examples/migrating/nginx.conf")


def written(folder: Path, text: str) -> Path:
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


def test_the_shop_is_a_document_that_the_gateway_takes() -> None:
    """What is left out is named."""
    found = convert(SHOP)

    assert check_document(found.document, env={}).problems == ()
    assert [each["name"] for each in found.document["routes"]] == [
        "any-up", "any-catalogue", "any-catalogue-slash", "any-orders", "any-orders-0-9-invoice", "any-live", "any-old",
        "any-files",
    ]  # fmt: skip
    assert found.document["quotas"] == [
        {
            "name": "orders-burst-20",
            "algorithm": "token_bucket",
            "limit": 10,
            "per": "1s",
            "burst": 21,
            "key": "ip",
        }
    ]
    assert found.document["routes"][-1]["respond"] == {"status": 501}
    assert any("location /files/: root" in line for line in found.not_carried)


def test_the_default_server_takes_any_host(tmp_path: Path) -> None:
    """The others their names; one without a name cannot be told from it."""
    text = """
    server { listen 80; server_name a.test; return 200 a; }
    server { listen 80 default_server; server_name b.test; return 200 b; }
    server { listen 8080; return 200 c; }
    """
    found = convert(written(tmp_path, text))
    hosts = [(each["respond"]["body"], each["match"].get("hosts")) for each in found.document["routes"]]

    assert hosts == [("a", ["a.test"]), ("b", None)]
    assert any("the server has no name" in line for line in found.not_carried)


def test_a_redirect_to_https_is_a_setting(tmp_path: Path) -> None:
    """Not a route that hides what the other server serves."""
    text = """
    server { listen 80; server_name a.test; return 301 https://$host$request_uri; }
    server { listen 443 ssl; server_name a.test; location / { return 200 a; } }
    """
    found = convert(written(tmp_path, text))

    assert [each["match"] for each in found.document["routes"]] == [{"hosts": ["a.test"], "path": "/"}]
    assert any("ENFORCE_HTTPS=redirect" in line for line in found.not_carried)


def test_hosts_come_before_what_expressions_decide(tmp_path: Path) -> None:
    """A regular expression of the default server does not take another's requests."""
    text = """
    server { location ~ x { return 200 default; } }
    server { server_name a.test; location / { return 200 named; } }
    """
    default, named = convert(written(tmp_path, text)).document["routes"]
    assert named["priority"] > default["priority"]


def test_a_server_that_answers_by_itself_asks_no_location(tmp_path: Path) -> None:
    """What it serves otherwise would be more open here."""
    text = "server { return 503; location /a { proxy_pass http://a; } }"
    routes = convert(written(tmp_path, text)).document["routes"]

    assert [(each["match"], each["respond"]["status"]) for each in routes] == [({"path": "/"}, 503)]


def test_what_stands_around_locations_is_named(tmp_path: Path) -> None:
    """A server's condition counts for each of them."""
    text = "server { if ($bad) { return 403; }\nrewrite a b;\nlocation / { proxy_pass http://a; } }"

    assert convert(written(tmp_path, text)).not_carried == (
        "nginx.conf:2: rewrite: is not carried over",
        "nginx.conf:3: if ($bad): has no counterpart; the route is CLOSED to everybody: "
        "say in auth who may come in, and take its ip out",
    )


@pytest.mark.parametrize(
    "text",
    [
        "server { listen; location / { return 204; } }",
        "server { return; }",
        'include ""; server { location / { proxy_pass; } }',
    ],
)
def test_what_is_missing_says_where(text: str, tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(NotReadable, match=r"nginx.conf:1: a value is missing"):
        convert(written(tmp_path, text))


def test_a_file_without_a_server(tmp_path: Path) -> None:
    """Is no configuration of anything."""
    with pytest.raises(NotReadable, match="it has no server"):
        convert(written(tmp_path, "events {}"))
