"""URLs of one server, of Sentinel and of a Cluster."""

import pytest

from resilience.stores.address import Address, address_of


@pytest.mark.parametrize(
    "url", ["redis://h:1/2", "rediss://u:p@h/0?ssl_cert_reqs=none", "unix:///run/redis.sock?db=3"]
)
def test_single_server_keeps_its_url(url: str) -> None:
    """redis-py reads it."""
    assert address_of(url) == Address("single", url=url)


def test_cluster_option_is_the_gateways_own() -> None:
    """redis-py does not know it."""
    assert address_of("unix:///s?cluster=0") == Address("single", url="unix:///s")
    assert address_of("redis://h:1/0?cluster=no&db=2") == Address("single", url="redis://h:1/0?db=2")


@pytest.mark.parametrize(
    "url", ["redis+cluster://u:p%40@a:1,[::1]:2", "redis://u:p%40@a:1,[::1]:2/0?cluster=true"]
)
def test_cluster_has_nodes_to_ask(url: str) -> None:
    """Two ways to write it; the password is decoded."""
    expected = Address("cluster", nodes=(("a", 1), ("::1", 2)), username="u", password="p@")

    assert address_of(url) == expected
    assert "p@" not in repr(expected)


def test_sentinel_names_a_service() -> None:
    """With its default port, a database, TLS and options."""
    url = "rediss+sentinel://:secret@a,b:7/mymaster/4?sentinel_password=s"

    assert address_of(url) == Address(
        "sentinel",
        nodes=(("a", 26379), ("b", 7)),
        service="mymaster",
        db=4,
        password="secret",
        tls=True,
        options={"sentinel_password": "s"},
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://hunter2@h",
        "redis+other://hunter2@h",
        "redis+sentinel://:hunter2@h",
        "redis+sentinel://:hunter2@h/s/1/2",
        "redis+sentinel://:hunter2@h/s/x",
        "redis+sentinel://:hunter2@h/s?cluster=1",
        "redis+cluster://:hunter2@h/1",
        "redis+cluster://:hunter2@h:port",
        "redis+cluster://:hunter2@h,",
        "redis+cluster://:hunter2@h:1/0/0",
        "unix:///hunter2?cluster=1",
        "redis://[hunter2",
    ],
)
def test_what_makes_no_sense_is_refused(url: str) -> None:
    """In words that show no password."""
    with pytest.raises(ValueError) as caught:
        address_of(url)

    assert "hunter2" not in str(caught.value)
