"""Where a route leads, as a specification."""

from routing.document.destinations import (
    DESTINATIONS,
    AggregateSpec,
    CanarySpec,
    RedirectPathSpec,
    RedirectSpec,
    RespondSpec,
)
from routing.document.routes import RouteSpec


def test_every_destination_is_a_key_of_routes() -> None:
    """The list of destinations and the schema agree."""
    assert set(DESTINATIONS) < set(RouteSpec.model_fields)


def test_redirect() -> None:
    """A path alone is exact; the query is kept unless one is set."""
    redirect = RedirectSpec.model_validate({"scheme": "https", "host": "h", "port": 443, "path": "/a?b#c"})

    assert redirect.path == RedirectPathSpec(exact="/a?b#c")
    assert (redirect.status, redirect.query) == (301, None)
    assert RedirectSpec.model_validate({"path": {"prefix": "/new"}}).path == RedirectPathSpec(prefix="/new")


def test_respond() -> None:
    """An empty answer is 200."""
    assert RespondSpec() == RespondSpec(status=200, headers={}, body="")


def test_aggregate() -> None:
    """Parts keep whatever their fallback is, null included."""
    aggregate = AggregateSpec.model_validate(
        {
            "parts": {
                "profile": {"service": "auth", "path": "/users/me", "required": True},
                "history": {
                    "service": "chat",
                    "path": "/h",
                    "timeout": "1s",
                    "pick": "items[:20]",
                    "fallback": [None],
                },
            }
        }
    )

    assert aggregate.timeout == 3.0
    assert aggregate.parts["profile"].method == "GET"
    assert aggregate.parts["history"].fallback == [None]


def test_canary() -> None:
    """Shares may be whole numbers."""
    assert CanarySpec.model_validate({"steps": [1, 50.5]}).steps == (1.0, 50.5)
