"""Which configuration a request is explained under, and what all doors tell beside it."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from resilience.models import BreakerState
from routing.callers import UnknownCaller
from routing.drafts import Actor
from routing.explain import CIRCUIT_OPEN, request_to
from routing.explaining import HIGHEST_REVISION, NoRevision, Which, configuration, explained
from routing.models import Revision, Route
from routing.problems import ConfigurationInvalid
from routing.publishing import apply_document
from tests.support.configuration import route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def publish(*names: str, draft: bool = False, **service: Any) -> None:
    document = small()
    document["services"][0] |= service
    document["routes"] = [route(name, f"/{name}") for name in names]
    apply_document(document, actor=Actor("ada"), draft=draft, prune=True)


@pytest.mark.parametrize(
    ("which", "number", "names"),
    [("live", 2, {"b"}), (2, 2, {"b"}), (1, 1, {"a"}), ("draft", 0, {"b", "c"})],
)
def test_the_live_one_the_draft_or_any_revision(which: Which, number: int, names: set[str]) -> None:
    """Each with its number."""
    publish("a")
    publish("b")
    publish("b", "c", draft=True)
    found = configuration(which)
    assert (found.revision, set(found.routes)) == (number, names)


@pytest.mark.parametrize("number", [0, 3, -1, HIGHEST_REVISION, HIGHEST_REVISION + 1])
def test_what_was_never_published(number: int) -> None:
    """Said in one sentence."""
    with pytest.raises(NoRevision, match="Nothing is published yet"):
        configuration("live")
    publish("a")
    with pytest.raises(NoRevision, match=f"There is no revision {number}."):
        configuration(number)


def test_a_draft_that_cannot_be_used() -> None:
    """With its problems."""
    publish("a")
    Route.objects.update(path="no-slash", version=9)
    with pytest.raises(ConfigurationInvalid):
        configuration("draft")


def test_callers_and_what_runs_are_known_to_every_door() -> None:
    """A caller by name; the breaker as it is."""
    publish("a", breaker={})
    BreakerState.objects.create(service="orders", state="open", forced="open")
    assert explained(request_to("GET", "/a")).refusal == CIRCUIT_OPEN
    User.objects.create_user("bert")
    named = explained(request_to("GET", "/a"), caller="bert").policies[0].details
    assert named["caller"]["name"] == "bert"
    with pytest.raises(UnknownCaller):
        explained(request_to("GET", "/a"), caller="carl")
    assert Revision.objects.count() == 1
