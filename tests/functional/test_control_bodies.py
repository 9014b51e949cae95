"""Configuration in the bodies of the control API, made from its own JSON schema: stories of several calls each, whose
answers are all as the OpenAPI document describes them."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from authproxy.views.control.kinds import KINDS
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.bodies import Maker
from tests.support.configuration import route, service
from tests.support.described import OPERATIONS, SHAPES, called, connection_kept, undone

pytestmark = pytest.mark.django_db
STORIES = 6
QUERIES: tuple[dict[str, str], ...] = ({}, {}, {}, {"dry_run": "true"}, {"draft": "true"})
WORLD = {
    "version": 1,
    "services": [service(), service("other", 8002)],
    "routes": [route()],
    "quotas": [{"name": "orders", "limit": 10, "per": "1s"}],
    "plans": [{"name": "orders", "quotas": [{"name": "orders", "limit": 100, "per": "1s"}]}],
    "roles": [{"name": "analyst", "scopes": ["read"]}],
    "identity_providers": [{"name": "orders", "issuer": "https://i.example", "jwks_url": "https://i.example/k"}],
    "topics": [{"name": "orders", "topics": ["orders.*"]}],
}  # fmt: skip


@pytest.fixture
def world() -> Iterator[None]:
    """One of each kind."""
    apply_document(WORLD, actor=Actor("first"))
    with connection_kept():
        yield


class Story:
    """Calls about entries of one kind, or about the whole document; `seen` counts how they were answered."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind, self.rng = kind, Random(f"{kind} {seed}")
        self.is_plain = seed == 0
        self.maker = Maker(SHAPES, self.rng, is_plain=self.is_plain)
        self.seen: Counter[tuple[str, int]] = Counter()

    def ask(self, method: str, path: str, body: Any = ..., *, headers: Any = None, **parameters: Any) -> Any:
        """One call; what is wrong with its answer names the story's seed by being raised in it."""
        operation = OPERATIONS[f"{method} /control/v1/{path}"]
        given = {} if body is ... else {"body": body, "media_type": "application/json"}
        query = self.rng.choice(QUERIES) if "X-Change-Message" in str(operation.headers) else {}
        case = operation.Case(path_parameters=parameters, query=query, headers=headers or {}, **given)
        answer = called(case)
        self.seen[method, answer.status_code] += 1
        return answer

    def body(self, shape: str) -> Any:
        """Most of them fit; the others are odd in one place. The first story's is plain."""
        made = self.maker.entry(shape)
        return self.maker.spoiled(made) if not self.is_plain and self.rng.random() < 0.25 else made

    def of_entry(self) -> None:
        """Made or replaced, looked at, changed, posted, listed, removed."""
        shape, one = KINDS[self.kind].schema, f"{self.kind}/{{name}}"
        body = self.body(shape)
        name = self.rng.choice(
            ("orders", "analyst", str(body.get("name")) if isinstance(body, dict) else "x")
        )
        name = name if name.isascii() and name.isprintable() and name.strip(" /.") else "x"
        if isinstance(body, dict) and (self.is_plain or self.rng.random() < 0.9):
            body["name"] = name
        put = self.ask("PUT", one, body, name=name)
        tag = {"If-Match": put.headers["ETag"][0]} if "ETag" in put.headers else {}
        self.ask("GET", one, name=name)
        patch = self.maker.entry(shape)
        kept = self.rng.sample(sorted(patch), min(3, len(patch)))
        self.ask("PATCH", one, {key: patch[key] for key in kept if key != "name"}, headers=tag, name=name)
        self.ask("POST", self.kind, {**patch, "name": "new"})
        self.ask("GET", self.kind)
        self.ask("DELETE", one, name=name)

    def of_whole(self) -> None:
        """Applied, looked at, and what became of it told as revisions are."""
        shape = {"defaults": "DefaultsSpec", "document": "DocumentSpec"}[self.kind]
        self.ask("PUT", self.kind, self.body(shape))
        self.ask("PATCH" if self.kind == "defaults" else "POST", self.kind, self.body(shape))
        self.ask("GET", self.kind)
        self.ask("GET", "revisions/{number}", number="live")
        self.ask("GET", "revisions/{number}/diff", number="live")
        self.ask("GET", "draft")

    def tell(self) -> None:
        """From its beginning to its end, and nothing has happened."""
        with undone():
            (self.of_entry if self.kind in KINDS else self.of_whole)()


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("kind", [*KINDS, "defaults", "document"])
def test_every_answer_is_described(kind: str) -> None:
    """And of the bodies that are sent some are taken and some refused."""
    seen: Counter[tuple[str, int]] = Counter()
    for seed in range(STORIES):
        story = Story(kind, seed)
        story.tell()
        seen += story.seen
    puts = {status for method, status in seen if method == "PUT"}
    assert puts & {200, 201, 202}
    assert 400 in puts
