"""Publishing from admin: refusals carry places that a page can show."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError

from routing.admin.publishing import NotPublished, actor_of, refused, relative
from routing.drafts import Actor
from routing.locking import StoreUnavailable
from routing.problems import ConfigurationInvalid, Problem
from routing.publishing import PublishRefused
from routing.rows.base import EditConflict

DOCUMENT: dict[str, Any] = {"routes": [{"name": "a"}, {"name": "b"}], "services": [{"name": "s"}]}


@pytest.mark.parametrize(
    ("path", "edited", "expected"),
    [
        ("routes[1].match.path", ("routes", "b"), "match.path: no"),
        ("routes[0].match.path", ("routes", "b"), 'route "a" match.path: no'),
        ("routes[0]", ("routes", "b"), 'route "a": no'),
        ("services[0].targets[0].url", None, 'service "s" targets[0].url: no'),
        ("defaults.timeout", ("defaults", "defaults"), "timeout: no"),
        ("defaults.timeout", ("routes", "b"), "defaults.timeout: no"),
        ("routes[7].service", ("routes", "b"), 'route "" service: no'),
        ("", ("routes", "b"), "no"),
    ],
)
def test_places_become_relative_to_the_edited_entry(
    path: str, edited: tuple[str, str] | None, expected: str
) -> None:
    """Problems of the edited entry lose its position; others name their entry instead of a position."""
    [problem] = relative([Problem("gateway.E004", path, "no")], DOCUMENT, edited)
    assert str(problem) == expected


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConfigurationInvalid([Problem("gateway.E004", "routes[0]", "is wrong")]), "routes[0]: is wrong"),
        (EditConflict("was changed"), "was changed"),
        (PublishRefused("not now"), "not now"),
        (StoreUnavailable("the database is locked"), "the database is locked"),
        (IntegrityError("UNIQUE constraint failed"), "at the same moment"),
    ],
)
def test_every_objection_becomes_a_refusal(error: Exception, says: str) -> None:
    """A page has one kind of refusal to show."""
    with pytest.raises(NotPublished) as found, refused():
        raise error
    assert says in str(found.value)
    assert all(problem.message for problem in found.value.problems)


def test_bugs_are_not_refusals() -> None:
    """What nobody foresaw stays an error."""
    with pytest.raises(KeyError), refused():
        raise KeyError("x")


def test_actor_is_who_is_signed_in() -> None:
    """By account and by name."""
    user = SimpleNamespace(get_username=lambda: "anna", pk=7)
    assert actor_of(SimpleNamespace(user=user)) == Actor("anna", 7)  # type: ignore[arg-type]
