"""I: Whoever explains a request asks here what admission makes of a caller; who knows callers binds itself at start."""

from collections.abc import Callable

from routing.standing import Judge, nobody

JudgeOf = Callable[[str | None], Judge]


class UnknownCaller(Exception):  # noqa: N818 - a refusal, told in one sentence
    """Neither an account nor a consumer has this name; str(error) says so."""


_bound: list[JudgeOf] = []


def bind(judge_of: JudgeOf) -> None:
    """`judge_of` gives the judge of an account or a consumer, or of nobody; it raises UnknownCaller."""
    _bound[:] = [judge_of]


def judge_of(name: str | None) -> Judge:
    """The judge of requests that the account or consumer of this name makes; None: a request without credentials."""
    if _bound:
        return _bound[0](name)
    if name is None:
        return nobody
    raise UnknownCaller(f'there is no account or consumer named "{name}"')
