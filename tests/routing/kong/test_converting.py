"""A whole configuration of Kong."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.yaml import parse_text
from routing.foreign import NotReadable
from routing.kong.converting import convert
from routing.validation import check_document

SHOP = Path("examples/migrating/kong.yaml")


def test_the_shop_is_a_document_that_the_gateway_takes() -> None:
    """Keys of consumers are not in it."""
    found = convert(parse_text(SHOP.read_text()))

    assert check_document(found.document, env={}).problems == ()
    assert [each["name"] for each in found.document["routes"]] == [
        "orders", "order-files", "catalogue", "catalogue-2", "closed",
    ]  # fmt: skip
    assert "secret-of-ann" not in str(found)
    assert "consumers: 1 (ann) are data: gateway consumer create, gateway apikey create" in found.not_carried


def test_a_route_without_a_known_service_takes_its_requests_still() -> None:
    """Left out, a shorter one would take them. A service may be named by its id; switched off, so are its routes."""
    refused = {"name": "request-termination", "config": {"status_code": 403}}
    raw = {
        "_format_version": "3.0",
        "services": [{"id": "7", "name": "s", "host": "h", "enabled": False}],
        "routes": [
            {"name": "a", "paths": ["/a"], "service": {"id": "7"}},
            {"name": "b", "paths": ["/b"], "service": "nobody"},
            {"name": "c", "paths": ["/c"], "plugins": [refused]},
        ],
        "certificates": [{}],
    }
    found = convert(raw)
    off, unknown, ended = found.document["routes"]
    assert (off["name"], off["enabled"]) == ("a", False)
    assert (unknown["match"], unknown["respond"], "service" in unknown) == (
        {"path": "/b"},
        {"status": 501},
        False,
    )
    assert (ended["match"], ended["respond"]["status"]) == ({"path": "/c"}, 403)
    assert "routes[1]: it has no service 'nobody'; it answers 501" in found.not_carried
    assert not [line for line in found.not_carried if line.startswith("routes[2]: ")]
    assert "certificates: is not carried over" in found.not_carried


def test_nothing_is_filled_in_from_the_environment() -> None:
    """What looks like a variable of ours is text of theirs."""
    raw: dict[str, Any] = {
        "_format_version": "3.0",
        "services": [
            {
                "name": "s",
                "host": "h",
                "routes": [
                    {
                        "name": "r",
                        "paths": ["/"],
                        "plugins": [{"name": "request-termination", "config": {"message": "${SECRET_KEY}"}}],
                    }
                ],
            }
        ],
    }
    assert convert(raw).document["routes"][0]["respond"]["body"] == '{"message":"$${SECRET_KEY}"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "routes", "plugins", "config", "paths", "hosts", "service", "host", "url", "headers",
                         "minute", "targets", "healthchecks", "active", "healthy", "interval"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["services", "routes", "upstreams", "plugins", "consumers"]), JSON, max_size=4
    )
)
def test_whatever_it_is_given_it_reads_or_refuses(raw: dict[str, Any]) -> None:
    """Never a traceback."""
    version = 1
    with contextlib.suppress(NotReadable):
        version = convert({"_format_version": "3.0", **raw}).document["version"]

    assert version == 1


def test_versions_that_are_not_known() -> None:
    """Are refused."""
    with pytest.raises(NotReadable, match="_format_version"):
        convert({"_format_version": "0.1"})


def test_variables_of_deck_are_the_gateways() -> None:
    """decK fills them in when it writes to Kong; here the gateway does when the document is published."""
    raw = {
        "_format_version": "3.0",
        "services": [
            {"name": "s", "host": '${{ env "DECK_HOST" }}', "routes": [{"name": "r", "paths": ["/a"]}]}
        ],
    }
    found = convert(raw)

    assert found.document["services"][0]["targets"] == [{"url": "http://${DECK_HOST}:80"}]
    assert check_document(found.document, env={"DECK_HOST": "shop.internal"}).problems == ()
    assert "DECK_HOST: a variable of decK's environment: give it to the gateway's" in found.not_carried


def test_variables_of_deck_may_be_numbers() -> None:
    """A filter says of which kind they are."""
    port = """${{ env "DECK_PORT" | toInt }}"""
    service = {"name": "s", "host": "h", "port": port, "routes": [{"name": "r", "paths": ["/a"]}]}
    found = convert({"_format_version": "3.0", "services": [service]})

    assert found.document["services"][0]["targets"] == [{"url": "http://h:${DECK_PORT}"}]
    assert "DECK_PORT: a variable of decK's environment: give it to the gateway's" in found.not_carried


def test_a_route_to_a_grpc_service_is_named() -> None:
    """The others are carried over."""
    services = [
        {"name": "g", "url": "grpc://g:50051", "routes": [{"name": "g", "paths": ["/g.Greeter"]}]},
        {"name": "h", "url": "http://h", "routes": [{"name": "h", "paths": ["/h"]}]},
    ]
    found = convert({"_format_version": "3.0", "services": services})

    assert check_document(found.document, env={}).problems == ()
    assert [each.get("respond") for each in found.document["routes"]] == [{"status": 501}, None]
    assert "services[0].routes[0]: gRPC is called by routes with grpc; it answers 501" in found.not_carried


def test_keys_that_nobody_knows_are_named() -> None:
    """Of services and upstreams; a typing error would go unseen."""
    raw = {
        "_format_version": "3.0",
        "services": [{"name": "s", "host": "u", 'plugins"': [{"name": "key-auth"}]}],
        "upstreams": [{"name": "u", "host_header": "h", "targets": [{"target": "a:1"}]}],
    }
    lines = convert(raw).not_carried

    assert 'services[0].plugins": has no counterpart' in lines
    assert "upstreams[0].host_header: has no counterpart" in lines
