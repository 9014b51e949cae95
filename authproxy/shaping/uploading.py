"""I: Files on their way to the service, judged as they pass.

Before anything is sent, as much is held as it takes to judge the beginning of the first file, at most MOST_HELD. What
comes later is judged before it is sent on, and a violation ends the request: the service never sees the end of it.
"""

from typing import Final

from authproxy.bodies import BodyRefused
from authproxy.exchange import Exchange
from authproxy.rejections import Rejection
from authproxy.shaping import unfit
from authproxy.shaping.contenttype import ContentType
from authproxy.shaping.holding import hold
from authproxy.shaping.logonly import concluded
from authproxy.shaping.multipart import BOUNDARY
from authproxy.shaping.unfit import POLICY, Unfit
from authproxy.shaping.uploads import BodyCheck, FormCheck, Judge, declared_too_large
from resilience.outcomes import Outcome
from routing.shapes.validation import MULTIPART, UploadRules, Validation

MOST_HELD: Final = 64 * 1024


class Watch:
    """Shows a body to its judge, and ends the request at the first violation, where that is enforced."""

    __slots__ = ("_exchange", "_held", "_is_enforced", "_judge")

    def __init__(self, exchange: Exchange, judge: Judge, *, is_enforced: bool) -> None:
        self._exchange = exchange
        self._judge: Judge | None = judge
        self._is_enforced = is_enforced
        self._held = 0

    def enough(self, piece: bytes, is_last: bool) -> bool:
        """Whether the body may go on its way after this piece of its beginning."""
        self._held += len(piece)
        self.see(piece, is_last)
        return self._judge is None or self._judge.is_sure or self._held >= MOST_HELD

    def see(self, piece: bytes, is_last: bool) -> None:
        """The next piece, before anybody else gets it. Raises BodyRefused."""
        judge = self._judge
        if judge is None:
            return
        wrong = judge.feed(piece) if piece else None
        if wrong is None and is_last:
            wrong = judge.finish()
        if wrong is not None:
            self._judge = None
            refusal = _concluded(self._exchange, wrong, is_enforced=self._is_enforced)
            if refusal is not None:
                raise BodyRefused(refusal)


async def check_upload(exchange: Exchange, rules: Validation, content: ContentType) -> Rejection | None:
    """Judge the beginning of the body, and see to it that the rest is judged."""
    assert rules.upload is not None
    judge = _judge_of(rules.upload, content, exchange.head.content_length)
    if isinstance(judge, Unfit):
        return _concluded(exchange, judge, is_enforced=rules.is_enforced)
    watch = Watch(exchange, judge, is_enforced=rules.is_enforced)
    try:
        await hold(exchange, watch.enough, watch.see)
    except BodyRefused as refused:
        exchange.outcome = Outcome.CLIENT_BODY
        return refused.rejection
    return None


def _judge_of(rules: UploadRules, content: ContentType, length: bytes) -> Judge | Unfit:
    is_form = content.media_type == MULTIPART
    too_large = declared_too_large(rules, int(length or b"0"), is_form=is_form)
    if too_large is not None:
        return too_large
    if not is_form:
        return BodyCheck(rules, content.media_type)
    boundary = content.parameters.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        return unfit.malformed_upload(
            "The media type has no boundary that can be one.", {"expected": "multipart/form-data; boundary=…"}
        )
    return FormCheck(rules, boundary)


def _concluded(exchange: Exchange, wrong: Unfit, *, is_enforced: bool) -> Rejection | None:
    return concluded(exchange, POLICY, wrong.reason, wrong.rejection, is_enforced=is_enforced)
