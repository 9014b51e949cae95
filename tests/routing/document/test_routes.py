"""Routes as specifications."""

from routing.document.matches import MatchSpec
from routing.document.routes import RouteSpec
from routing.document.schema import DefaultsSpec


def test_defaults() -> None:
    """A route says little; what it does not say has no cost."""
    route = RouteSpec.model_validate({"name": "r"})

    assert (route.match, route.priority, route.enabled, route.auth) == (MatchSpec(), 0, True, None)
    assert (route.forward_identity, route.forward_credentials) == ("headers", "auto")


def test_keys_that_python_reserves() -> None:
    """`validate` is a key like the others."""
    route = RouteSpec.model_validate({"name": "r", "validate": {"content_types": ["text/plain"]}})

    assert route.validate_ is not None
    assert route.validate_.content_types == ("text/plain",)


def test_defaults_have_every_key_but_the_name() -> None:
    """Whatever a route may say, the defaults may say."""
    assert set(RouteSpec.model_fields) - set(DefaultsSpec.model_fields) == {"name", "managed_by"}


def test_shorthands() -> None:
    """Selectors and maps in the spelling of the contract."""
    route = RouteSpec.model_validate(
        {
            "name": "r",
            "backends": [{"service": "a", "weight": 90}, {"service": "b"}],
            "sticky": {"cookie": "variant"},
            "quotas": ["default", {"name": "writes", "mode": "log"}],
            "status_map": {"404": 204},
            "mirror": {"service": "b", "percent": 5},
        }
    )

    assert [backend.weight for backend in route.backends] == [90, 1]
    assert (route.sticky, route.status_map) == ("cookie:variant", {404: 204})
    assert [(quota.name, quota.mode) for quota in route.quotas] == [("default", "enforce"), ("writes", "log")]
