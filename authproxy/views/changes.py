"""D: `/control/v1/draft…`: what publishing would change, what is said of it, and deciding about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, changing, is_conditional, require_match, shown
from authproxy.views.control.calling import PUBLISH, Caller, staff
from authproxy.views.control.parameters import IF_MATCH, READING, lists, shows
from authproxy.views.control.tables import page
from authproxy.views.documented import documented
from routing.admin.dialogs import REASON_LENGTH
from routing.drafts import draft_base, live_number, pending_authors, standing_rejection
from routing.locking import reading, writing
from routing.publishing import Outcome, discard, draft_changes, draft_now, publish
from routing.reviewing import all_open_comments, comment, meanwhile, open_comments, reject
from routing.rows.changes import TEXT_LENGTH

TAG: Final = "Control"
SEE_DRAFT: Final = "routing.view_pendingchange"
SOURCE: Final = "api"
MOST_ENTRIES: Final = 500


def allowed(request: Request, *permissions: str) -> Caller:
    """Staff with any of these permissions."""
    caller = staff(request)
    caller.require(*permissions)
    return caller


class CommentShape(Shape):
    at = serializers.DateTimeField()
    author = serializers.CharField()
    text = serializers.CharField()
    rejection = serializers.BooleanField()


class MeanwhileShape(Shape):
    """What went live since the draft was begun."""

    base = serializers.IntegerField()
    live = serializers.IntegerField()
    changes = serializers.DictField()
    conflicts = serializers.ListField(child=serializers.CharField())


class DraftShape(Shape):
    """`digest` tells one draft from another; give it to publish what was looked at and nothing else."""

    digest = serializers.CharField()
    base = serializers.IntegerField(allow_null=True)
    live = serializers.IntegerField(allow_null=True)
    changes = serializers.DictField()
    authors = serializers.ListField(child=serializers.CharField())
    comments = CommentShape(many=True)
    rejected_by = serializers.CharField(allow_null=True)
    meanwhile = MeanwhileShape(allow_null=True)


class CommentsShape(Shape):
    comments = CommentShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class DecidedShape(Shape):
    outcome = serializers.ChoiceField(["unchanged", "published", "discarded", "rejected"])
    revision = serializers.IntegerField(allow_null=True)
    changes = serializers.CharField()


class CommentOrder(Shape):
    text = serializers.CharField(max_length=TEXT_LENGTH)


class PublishOrder(Shape):
    message = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")
    digest = serializers.CharField(required=False, allow_null=True, max_length=64, default=None)


class RejectOrder(Shape):
    reason = serializers.CharField(max_length=TEXT_LENGTH)
    discard = serializers.BooleanField(required=False, default=False)


class DraftView(ControlEndpoint):
    """The draft."""

    @shows("Show the draft", tag=TAG, answers=DraftShape, errors=READING)
    def get(self, request: Request) -> Response:
        """What publishing would change, who has a hand in it, what is said of it; the first 500 entries."""
        allowed(request, SEE_DRAFT)
        with changing(), reading():
            told = _draft()
        return shown(request, told, etag(told))


class CommentsView(ControlEndpoint):
    """What is said of the draft."""

    @lists(
        "List comments on the draft",
        tag=TAG,
        answers=CommentsShape,
    )
    def get(self, request: Request) -> Response:
        """Oldest first, a page at a time."""
        allowed(request, SEE_DRAFT)
        return Response(page(all_open_comments(), request, "comments", _comment))

    @documented(
        "Comment on the draft",
        tag=TAG,
        takes=CommentOrder,
        asks=[IF_MATCH],
        answers={201: CommentShape},
        errors=(400, 401, 403, 409, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Kept with the revision that the draft becomes."""
        actor = allowed(request, SEE_DRAFT).actor
        wanted = _valid(CommentOrder, request)
        with _unchanged(request):
            return Response(_comment(comment(wanted["text"], actor=actor, source=SOURCE)), status=201)


class PublishView(ControlEndpoint):
    """Making the draft live."""

    @documented(
        "Publish the draft",
        tag=TAG,
        takes=PublishOrder,
        asks=[IF_MATCH],
        answers={200: DecidedShape},
        errors=(400, 401, 403, 409, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Under review by nobody who has a hand in it; with `digest` only if it is still the draft of that digest."""
        actor = allowed(request, PUBLISH).actor
        wanted = _valid(PublishOrder, request)
        with _unchanged(request):
            done = publish(
                actor=actor, message=wanted["message"], source=SOURCE, expected_draft=wanted["digest"]
            )
        return Response(_decided(done))


class DiscardView(ControlEndpoint):
    """Throwing the draft away."""

    @documented(
        "Discard the draft",
        tag=TAG,
        asks=[IF_MATCH],
        answers={200: DecidedShape},
        errors=(*READING, 409, 412),
    )
    def post(self, request: Request) -> Response:
        """What is live stays as it is."""
        actor = allowed(request, PUBLISH).actor
        with _unchanged(request):
            return Response(_decided(discard(actor=actor, source=SOURCE)))


class RejectView(ControlEndpoint):
    """Saying no."""

    @documented(
        "Reject the draft",
        tag=TAG,
        takes=RejectOrder,
        asks=[IF_MATCH],
        answers={200: DecidedShape},
        errors=(400, 401, 403, 409, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Nobody else may publish it until it is changed; with `discard` it is thrown away at once."""
        actor = allowed(request, PUBLISH).actor
        wanted = _valid(RejectOrder, request)
        with _unchanged(request):
            done = reject(wanted["reason"], actor=actor, source=SOURCE, discards=wanted["discard"])
        if done is not None:
            return Response(_decided(done))
        summary = draft_changes().summary()
        return Response({"outcome": "rejected", "revision": live_number(), "changes": summary})


@contextmanager
def _unchanged(request: Request) -> Iterator[None]:
    """Around a decision: the draft must be the one of `If-Match`, and nobody changes it before the decision is made."""
    if not is_conditional(request):
        with changing():
            yield
        return
    with changing(), writing():
        require_match(request, etag(_draft()))
        yield


def _draft() -> dict[str, Any]:
    draft, rejection = draft_now(), standing_rejection()
    moved = meanwhile(draft)
    return {
        "digest": draft.digest,
        "base": draft_base(),
        "live": draft.live_number or None,
        "changes": _changes(draft.changes),
        "authors": list(pending_authors()),
        "comments": [_comment(each) for each in open_comments()],
        "rejected_by": rejection.author if rejection else None,
        "meanwhile": moved
        and {
            "base": moved.base,
            "live": moved.live,
            "changes": _changes(moved.changes),
            "conflicts": list(moved.conflicts),
        },
    }


def _valid(shape: type[Shape], request: Request) -> Any:
    wanted = shape(data=request.data)
    wanted.is_valid(raise_exception=True)
    return wanted.validated_data


def _comment(row: Any) -> dict[str, Any]:
    return {"at": row.created_at, "author": row.author, "text": row.text, "rejection": row.is_rejection}


def _changes(changes: Any) -> dict[str, Any]:
    shown: dict[str, Any] = changes.as_json()
    return {**shown, "entries": shown["entries"][:MOST_ENTRIES]}


def _decided(done: Outcome) -> dict[str, Any]:
    return {"outcome": done.kind, "revision": done.revision, "changes": done.changes.summary()}
