"""`/control/v1/draft…`: the draft is looked at, spoken of, published, rejected and thrown away."""

from typing import Any

import pytest

from routing import publishing
from routing.drafts import Actor
from routing.models import Revision
from routing.publishing import apply_document
from tests.support.configuration import route, small
from tests.support.endpoints import Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]
DRAFT = "/control/v1/draft"


class Staff:
    """A superuser with a token."""

    def __init__(self, name: str) -> None:
        user = account(name, is_staff=True)
        user.is_superuser = True
        user.save()
        self.client = Endpoints()
        self.token = str(self.client.signed_in(name)["access"])
        self.client.cookies.clear()

    def get(self, path: str = DRAFT) -> Any:
        return self.client.ask(path, token=self.token).json()

    def post(self, what: str, content: Any = None) -> Any:
        return self.client.send(f"{DRAFT}/{what}", content or {}, token=self.token)


@pytest.fixture(autouse=True)
def draft(monkeypatch: pytest.MonkeyPatch) -> None:
    """By anna, under review."""
    apply_document(small(), actor=Actor("first"))
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    apply_document({"version": 1, "routes": [route(timeout="5s")]}, actor=Actor("anna"))


def test_a_draft_is_reviewed_and_published_by_somebody_else() -> None:
    """Its author is refused; what was said and who published it is in the history."""
    anna, bert = Staff("anna"), Staff("bert")
    assert bert.post("comments", {"text": "fine"}).status_code == 201
    shown = anna.get()
    assert (shown["base"], shown["live"], shown["authors"]) == (1, 1, ["anna"])
    assert shown["changes"]["summary"] == "1 route changed"
    assert [each["text"] for each in shown["comments"]] == ["fine"]
    refused = anna.post("publish")
    assert refused.status_code == 409
    assert "somebody else must publish it" in refused.json()["error"]["message"] + str(refused.json())
    done = bert.post("publish", {"message": "ok", "digest": shown["digest"]}).json()
    assert done == {"outcome": "published", "revision": 2, "changes": "1 route changed"}
    assert Revision.objects.first().author == "bert"  # type: ignore[union-attr]
    assert bert.get(f"{DRAFT}/comments")["comments"] == []


def test_another_draft_than_the_one_seen_is_not_published() -> None:
    """By its digest."""
    bert = Staff("bert")
    assert bert.post("publish", {"digest": "0" * 64}).status_code == 412
    assert Revision.objects.count() == 1


def test_a_rejected_draft_stays_or_goes() -> None:
    """With a reason, which it takes."""
    bert, carla = Staff("bert"), Staff("carla")
    assert bert.post("reject", {}).status_code == 400
    assert bert.post("reject", {"reason": "no"}).json()["outcome"] == "rejected"
    assert carla.get()["rejected_by"] == "bert"
    assert carla.post("publish").status_code == 409
    assert carla.post("reject", {"reason": "never", "discard": True}).json()["outcome"] == "discarded"
    assert carla.get()["changes"]["summary"] == "no changes"
    assert carla.post("discard").json()["outcome"] == "unchanged"
