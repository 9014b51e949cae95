"""I: Whoever explains a request asks here what admission makes of a caller; who knows callers binds itself at start."""

from collections.abc import Callable

from routing.snapshot import Snapshot
from routing.standing import Judge, nobody
from routing.topics import Caller

JudgeOf = Callable[[str | None], Judge]
CallerOf = Callable[[str, Snapshot], tuple[Caller, frozenset[str]]]


class UnknownCaller(Exception):  # noqa: N818 - a refusal, told in one sentence
    """Neither an account nor a consumer has this name; str(error) says so."""


_bound: list[JudgeOf] = []
_callers: list[CallerOf] = []


def bind(judge_of: JudgeOf, caller_of: CallerOf) -> None:
    """`judge_of` gives the judge of an account or a consumer, or of nobody; `caller_of` who that is, with the scopes
    that it has under a snapshot. Both raise UnknownCaller."""
    _bound[:] = [judge_of]
    _callers[:] = [caller_of]


def judge_of(name: str | None) -> Judge:
    """The judge of requests that the account or consumer of this name makes; None: a request without credentials."""
    if _bound:
        return _bound[0](name)
    if name is None:
        return nobody
    raise UnknownCaller(f'there is no account or consumer named "{name}"')


def caller_of(name: str, snapshot: Snapshot) -> tuple[Caller, frozenset[str]]:
    """The account or consumer of this name, and its scopes. Raises UnknownCaller; also for one that is disabled."""
    if _callers:
        return _callers[0](name, snapshot)
    raise UnknownCaller(f'there is no account or consumer named "{name}"')
