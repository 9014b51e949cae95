"""Routes under defaults."""

from routing.document.effective import with_defaults

DEFAULTS = {
    "timeout": "5s",
    "auth": {"level": "public", "scopes": ["a"]},
    "service": "s",
    "sticky": "consumer",
}


def test_key_replaces_the_default_whole() -> None:
    """Nothing is merged inside a key."""
    effective = with_defaults(DEFAULTS, {"name": "r", "auth": {"level": "user"}})

    assert effective == {**DEFAULTS, "name": "r", "auth": {"level": "user"}}


def test_own_destination_replaces_the_default_one() -> None:
    """A route that leads elsewhere does not inherit a second destination, nor what belongs to it."""
    effective = with_defaults(DEFAULTS, {"redirect": {"port": 1}})

    assert effective == {"timeout": "5s", "auth": DEFAULTS["auth"], "redirect": {"port": 1}}


def test_null_takes_the_default() -> None:
    """A key without a value is absent."""
    assert with_defaults(DEFAULTS, {"service": None, "timeout": None}) == DEFAULTS


def test_without_defaults_nothing_is_copied() -> None:
    """The usual case costs nothing."""
    route = {"name": "r"}

    assert with_defaults({}, route) is route
