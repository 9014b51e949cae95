"""I: The step "are query and body as they must be", prepared for each route.

query                 judged at once
media type            judged by what the request says of it; a body that is not there has none
JSON                  read whole, within a bound, and left to be read again
multipart/form-data   judged while it passes, see `authproxy.shaping.uploading`
"""

from collections.abc import Awaitable
from typing import Final

from authproxy import bodies
from authproxy.exchange import Exchange
from authproxy.rejections import Rejection
from authproxy.shaping import dataurls, unfit
from authproxy.shaping.contenttype import ContentType, described, parse_content_type
from authproxy.shaping.findings import findings
from authproxy.shaping.holding import read_up_to
from authproxy.shaping.jsontext import JsonFault, parse_json
from authproxy.shaping.logonly import concluded
from authproxy.shaping.querytext import parameter, parse_query
from authproxy.shaping.unfit import POLICY, Unfit
from authproxy.shaping.uploading import check_upload
from routing.shapes.validation import MULTIPART, Validation

_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
"""These are about their body (RFC 9110 section 9.3): without one they are refused where a body is judged."""
_JSON: Final = ContentType("application/json", {})
Conclusion = Rejection | None


class Validating:
    """One route's step."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Validation) -> None:
        self._rules = rules

    def step(self, exchange: Exchange) -> Conclusion | Awaitable[Conclusion]:
        """The query, then the body."""
        rules = self._rules
        if rules.query is not None and (wrong := self._query(exchange)) is not None:
            refusal = self._concluded(exchange, wrong)
            if refusal is not None:
                return refusal
        if not (rules.judges_body or rules.content_types):
            return None
        if not exchange.head.has_body:
            if rules.judges_body and rules.body_required and exchange.method in _BODY_METHODS:
                return self._concluded(exchange, unfit.no_body(rules.accepted))
            return None
        content = self._content(exchange)
        if isinstance(content, Unfit):
            return self._concluded(exchange, content)
        if not rules.judges_body:
            return None
        if content.media_type == MULTIPART and rules.upload is not None:
            return check_upload(exchange, rules, content)
        if rules.upload is None or (rules.reads_json and not rules.is_file(content.media_type)):
            return self._json(exchange, content)
        return check_upload(exchange, rules, content)

    def _query(self, exchange: Exchange) -> Unfit | None:
        rules = self._rules
        assert rules.query is not None
        pairs = parse_query(exchange.scope["query_string"])
        if pairs is None:
            return unfit.unreadable_query()
        values = rules.query_shape.values(pairs)
        try:
            if rules.query.is_valid(values):
                return None
        except ValueError:
            pass  # nested too deeply; `findings` says so
        size = len(exchange.scope["query_string"])
        return unfit.invalid_query(findings(rules.query, values, size, parameter))

    def _content(self, exchange: Exchange) -> ContentType | Unfit:
        """What the body is said to be; a JSON body need not say it."""
        rules = self._rules
        said = described(exchange.scope["headers"])
        if said.content_type is None:
            if rules.content_types or not rules.reads_json:
                return unfit.media_type(None, rules.accepted)
            content = _JSON
        else:
            text = said.content_type.decode("latin-1")
            found = None if said.is_ambiguous else parse_content_type(text)
            if found is None or not rules.takes(found.media_type):
                return unfit.media_type(text, rules.accepted)
            content = found
        return unfit.coding() if rules.judges_body and said.is_coded else content

    async def _json(self, exchange: Exchange, content: ContentType) -> Conclusion:
        rules = self._rules
        if not content.is_utf8:
            wrong = unfit.charset(content.parameters["charset"], rules.accepted)
            return self._concluded(exchange, wrong)
        if rules.is_enforced:
            data = await bodies.whole(exchange, rules.max_body)
            if isinstance(data, Rejection):
                return data
        else:
            found = await read_up_to(exchange, rules.max_body)
            if found is None:
                return self._concluded(exchange, unfit.too_large("", {}))
            data = found
        judged = judge_json(rules, data)
        return None if judged is None else self._concluded(exchange, judged)

    def _concluded(self, exchange: Exchange, wrong: Unfit) -> Conclusion:
        return concluded(exchange, POLICY, wrong.reason, wrong.rejection, is_enforced=self._rules.is_enforced)


def judge_json(rules: Validation, data: bytes) -> Unfit | None:
    """A whole body."""
    if not (data or rules.body_required):
        return None
    read = parse_json(data)
    if isinstance(read, JsonFault):
        return unfit.not_json(read)
    if rules.body is not None and not _is_valid(rules, read.value):
        return unfit.invalid_body(findings(rules.body, read.value, len(data)))
    if rules.data_urls and rules.upload is not None:
        return dataurls.judge(read.value, rules.data_urls, rules.upload)
    return None


def _is_valid(rules: Validation, value: object) -> bool:
    assert rules.body is not None
    try:
        return rules.body.is_valid(value)
    except ValueError:  # nested too deeply
        return False
