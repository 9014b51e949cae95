"""D: Explains a request to whoever asks beside the command line: which configuration, whose request, what is known."""

from typing import Final, Literal

import orjson

from routing.admin import snapshots
from routing.callers import caller_of, judge_of
from routing.compiler import compile_snapshot
from routing.explain import Request, explain
from routing.explaintopics import Action, TopicExplanation, explain_topic
from routing.explanation import Explanation
from routing.knowing import knowledge
from routing.models import Revision
from routing.snapshot import Snapshot

LIVE: Final = "live"
DRAFT: Final = "draft"
Which = Literal["live", "draft"] | int
HIGHEST_REVISION: Final = 2**63 - 1


class NoRevision(Exception):  # noqa: N818 - a refusal, told in one sentence
    """There is no such configuration; str(error) says so."""


def explained(asked: Request, which: Which = LIVE, *, caller: str | None = None) -> Explanation:
    """What would become of a request under the live configuration, the draft, or an earlier revision.

    Raises NoRevision, UnknownCaller, ConfigurationInvalid.
    """
    judge = judge_of(caller)
    return explain(configuration(which), asked, judge=judge, known=knowledge())


def topic_explained(
    topic: str, snapshot: Snapshot, *, caller: str | None = None, action: Action = "subscribe"
) -> TopicExplanation:
    """What the caller may do with a topic under a configuration. Raises UnknownCaller."""
    who, scopes = (None, frozenset[str]()) if caller is None else caller_of(caller, snapshot)
    return explain_topic(snapshot.topics, topic, who, scopes, action=action, revision=snapshot.revision)


def configuration(which: Which) -> Snapshot:
    """Compiled as the data plane does. Raises NoRevision and ConfigurationInvalid."""
    if which == DRAFT:
        return snapshots.draft().snapshot
    live = snapshots.live()
    if live is None:
        raise NoRevision("Nothing is published yet.")
    if which in (LIVE, live.snapshot.revision):
        return live.snapshot
    return _earlier(int(which), live.snapshot)


def _earlier(number: int, live: Snapshot) -> Snapshot:
    """What is as it is now is not compiled again."""
    text = None
    if 0 < number <= HIGHEST_REVISION:
        text = Revision.objects.filter(number=number).values_list("document", flat=True).first()
    if text is None:
        raise NoRevision(f"There is no revision {number}.")
    document, options = orjson.loads(text), snapshots.options()
    return compile_snapshot(document, revision=number, options=options, previous=live)
