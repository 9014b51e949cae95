"""Kong's declarative configuration."""

from typing import Any

import pytest

from routing.foreign import NotReadable
from routing.kong.reading import read


def kong(**kinds: Any) -> dict[str, Any]:
    return {"_format_version": "3.0", **kinds}


def test_flat_and_nested_are_the_same() -> None:
    """What stands below a service belongs to it, as what refers to it."""
    nested = kong(services=[{"name": "a", "routes": [{"name": "r", "plugins": [{"name": "cors"}]}]}])
    flat = kong(
        services=[{"name": "a"}],
        routes=[{"name": "r", "service": {"name": "a"}}],
        plugins=[{"name": "cors", "route": "r"}],
    )
    for source in (read(nested), read(flat)):
        assert [(each.key, each.service) for each in source.routes] == [("r", "a")]
        assert [(each.get("name"), each.route) for each in source.plugins] == [("cors", "r")]


def test_what_plugins_share_is_filled_in() -> None:
    """Their own words win."""
    source = read(
        kong(
            _plugin_configs={"few": {"minute": 5, "policy": "local"}},
            plugins=[{"name": "rate-limiting", "_config": "few", "config": {"minute": 7}}],
        )
    )
    assert source.plugins[0].mapping("config") == {"minute": 7, "policy": "local"}


def test_a_reference_that_is_no_text_leads_nowhere() -> None:
    """And is no fault of the program's."""
    assert read(kong(_plugin_configs={"few": {}}, plugins=[{"name": "cors", "_config": []}])).plugins


def test_plugins_of_consumers_are_known_as_such() -> None:
    """However they are written."""
    source = read(
        kong(
            consumers=[{"username": "ann", "plugins": [{"name": "acl"}]}],
            plugins=[{"name": "cors", "consumer": {"username": "bob"}}],
            services=[
                {
                    "name": "s",
                    "plugins": [{"name": "cors", "consumer": "cid"}],
                    "routes": [
                        {"name": "r", "plugins": [{"name": "cors", "consumer_group": {"name": "dee"}}]}
                    ],
                }
            ],
        )
    )
    assert sorted(each.consumer for each in source.plugins) == ["ann", "bob", "cid", "dee"]
    assert [(each.service, each.route) for each in source.plugins if each.consumer in ("cid", "dee")] == [
        ("", "r"),
        ("s", ""),
    ]


def test_defaults_of_deck_are_filled_in() -> None:
    """For what an entity does not say itself."""
    source = read(
        kong(
            _info={
                "defaults": {
                    "service": {"retries": 0},
                    "route": {"strip_path": False},
                    "target": {"weight": 7},
                }
            },
            services=[{"name": "s", "routes": [{"name": "r"}, {"name": "q", "strip_path": True}]}],
            upstreams=[{"name": "u", "targets": [{"target": "a:1"}]}],
        )
    )
    assert source.services[0].get("retries") == 0
    assert [each.get("strip_path") for each in source.routes] == [False, True]
    assert source.targets[0][1].get("weight") == 7


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (None, "no _format_version"),
        ([], "no _format_version"),
        ({"services": []}, "no _format_version"),
        ({"_format_version": "9"}, "_format_version: 9 is none of"),
        (kong(services={}), None),
        (kong(services={"a": 1}), "services: must be a list"),
        (kong(services=["a"]), r"services\[0\]: must be a mapping"),
        (kong(services=[{"name": "a", "routes": [3]}]), r"services\[0\].routes\[0\]: must be a mapping"),
        (
            kong(plugins=[{"name": "a", "config": 3, "_config": "x"}], _plugin_configs={"x": {}}),
            "config: must be",
        ),
    ],
)
def test_malformed_files_say_where(raw: object, said: str | None) -> None:
    """An empty mapping is no entity at all."""
    if said is None:
        assert read(raw).services == []
    else:
        with pytest.raises(NotReadable, match=said):
            read(raw)
