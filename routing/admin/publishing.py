"""D: What is edited in admin is published in the same transaction, or nothing of it happens.

Every way of changing rows (forms, deletion, actions) goes through `published`; a refusal comes back to the page
that it came from, with what was typed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from routing.admin.forms.places import steps
from routing.columns import Entry
from routing.drafts import Actor
from routing.loader import read_rows
from routing.locking import StoreUnavailable, writing
from routing.problems import ConfigurationInvalid, Problem, format_path
from routing.publishing import Outcome, PublishRefused, publish_rows_after_edit
from routing.rows.base import EditConflict

SOURCE = "admin"
PUBLISH_PERMISSION = "routing.publish"
SHOWN = 10


class NotPublished(Exception):  # noqa: N818 - a refusal, told to a person
    """The edit was undone; `problems` say why. Their paths are relative to the edited entry, if there is one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in problems))


def actor_of(request: HttpRequest) -> Actor:
    """Who is signed in."""
    return Actor(name=request.user.get_username(), user_id=request.user.pk)


@contextmanager
def refused() -> Iterator[None]:
    """Whatever speaks against a change becomes a NotPublished."""
    try:
        yield
    except ConfigurationInvalid as error:
        raise NotPublished(error.problems) from error
    except (EditConflict, PublishRefused, StoreUnavailable) as error:
        raise NotPublished([Problem("", "", str(error))]) from error
    except IntegrityError as error:
        text = "somebody else saved something at the same moment that does not go with this; try again"
        raise NotPublished([Problem("", "", text)]) from error


@contextmanager
def published(request: HttpRequest, *, message: str) -> Iterator[None]:
    """Runs an edit of rows and publishes it; raises NotPublished, after which nothing is changed."""
    # The lock comes first: rows that are locked before it could deadlock with another writer.
    with refused(), writing():
        yield
        publish_edit(request, message=message, edited=None)


def publish_edit(request: HttpRequest, *, message: str, edited: tuple[str, str] | None) -> None:
    """Publishes the rows as the current transaction has them; raises NotPublished.

    `edited` is kind and name of the one entry whose form shows the problems.
    """
    with refused():
        try:
            outcome = publish_rows_after_edit(actor=actor_of(request), message=message, source=SOURCE)
        except ConfigurationInvalid as error:
            raise NotPublished(relative(error.problems, read_rows(), edited)) from error
    tell(request, outcome)


def tell_refusal(request: HttpRequest, refusal: NotPublished) -> None:
    """Says on the next page why nothing was changed."""
    for problem in refusal.problems[:SHOWN]:
        messages.error(request, f"Nothing was changed: {problem}")


def tell(request: HttpRequest, outcome: Outcome) -> None:
    """Says on the next page what became of an edit."""
    if outcome.kind == "published":
        text = "Published as revision {}: every worker has it within a second."
        messages.success(request, format_html(text, outcome.revision))
    elif outcome.kind == "drafted":
        text = (
            'Kept as a draft: it becomes live when somebody else <a href="{}">reviews and publishes</a> it.'
        )
        messages.warning(request, format_html(text, reverse("admin:routing_pendingchange_changelist")))
    elif outcome.kind == "discarded":
        messages.success(request, "The draft was thrown away.")
    else:
        messages.info(request, "Nothing that the gateway serves has changed.")


def relative(problems: Sequence[Problem], document: Entry, edited: tuple[str, str] | None) -> list[Problem]:
    """Places as the form of `edited` knows them; problems of other entries name their entry instead."""
    return [_relative(problem, document, edited) for problem in problems]


def _relative(problem: Problem, document: Entry, edited: tuple[str, str] | None) -> Problem:
    place = steps(problem.path)
    if len(place) < 2 or not isinstance(place[1], int):
        if edited is not None and place[:1] == (edited[0],):
            return Problem(problem.id, format_path(place[1:]), problem.message, problem.value)
        return problem
    kind = str(place[0])
    entries = document.get(kind) or ()
    name = entries[place[1]].get("name", "") if place[1] < len(entries) else ""
    rest = format_path(place[2:])
    if edited == (kind, name):
        return Problem(problem.id, rest, problem.message, problem.value)
    where = " ".join(part for part in (kind.removesuffix("s"), f'"{name}"', rest) if part)
    return Problem(problem.id, "", f"{where}: {problem.message}", problem.value)
