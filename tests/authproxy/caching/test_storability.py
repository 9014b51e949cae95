"""What may be kept, and for whom."""

import pytest

from authproxy.caching.directives import read
from authproxy.caching.freshness import Times
from authproxy.caching.storability import Answered, Asker, is_everybodys, refused_because, vary_of

FRESH = Times(0.0, 60.0)
PLAIN = Asker(False, False)


def refused(
    control: bytes = b"",
    *,
    status: int = 200,
    names: frozenset[bytes] = frozenset(),
    content_type: bytes = b"text/plain",
    vary: tuple[bytes, ...] = (),
    length: int | None = 5,
    asker: Asker = PLAIN,
    times: Times | None = FRESH,
    has_validator: bool = False,
) -> str:
    answer = Answered(status, names, content_type, read(control), vary, 100, length)
    return refused_because(answer, asker, times, has_validator=has_validator, max_body=10)


@pytest.mark.parametrize(
    ("control", "allowed"),
    [
        (b"", True),
        (b"max-age=60", True),
        (b"no-store", False),
        (b"max-age=60, no-store", False),
        (b"private", False),
        (b'private="x"', False),
        (b"no-store, must-understand", True),
        (b"private, must-understand", False),
    ],
)
def test_answers_say_whether_they_may_be_kept(control: bytes, allowed: bool) -> None:
    """RFC 9111 section 5.2.2; must-understand takes the place of no-store where the status is known."""
    assert (refused(control) == "") is allowed


def test_must_understand_forbids_unknown_statuses() -> None:
    """Nothing is known of 599."""
    assert refused(b"must-understand, max-age=5", status=599) == "must-understand"


@pytest.mark.parametrize("status", [206, 304, 101, 599, 201, 409])
def test_parts_and_unknown_statuses_are_not_kept(status: int) -> None:
    """206 is a part, 304 says something of another answer."""
    assert refused(b"max-age=60", status=status) == f"status {status}"


@pytest.mark.parametrize(
    ("control", "allowed"),
    [
        (b"max-age=60", False),
        (b"public, max-age=60", True),
        (b"s-maxage=60", True),
        (b"max-age=60, must-revalidate", True),
    ],
)
def test_authorization_forbids_unless_the_answer_allows(control: bytes, allowed: bool) -> None:
    """RFC 9111 section 3.5."""
    assert (refused(control, asker=Asker(False, True)) == "") is allowed


def test_only_public_and_s_maxage_make_an_answer_everybodys() -> None:
    """must-revalidate allows to keep it, for its own caller."""
    assert is_everybodys(read(b"public"))
    assert is_everybodys(read(b"s-maxage=5"))
    assert not is_everybodys(read(b"must-revalidate, max-age=5"))


def test_what_is_not_fit_is_not_kept() -> None:
    """Cookies, what is never the same, streams, what is too long, what is never fresh."""
    assert refused(names=frozenset({b"set-cookie"})) == "it sets a cookie"
    assert refused(asker=Asker(True, False)) == "the request says no-store"
    assert refused(vary=(b"*",)) == refused(vary=(b"x-request-id",)) == "Vary"
    assert refused(content_type=b"text/event-stream; charset=utf-8") == "it is a stream without end"
    assert refused(length=11) == "it is too long"
    assert refused(length=10) == refused(length=None) == ""
    assert refused(times=None) == "nothing says how long it is fresh"
    assert refused(times=Times(5.0, 5.0)) == "it is never fresh"
    assert refused(times=Times(5.0, 5.0), has_validator=True) == ""
    assert refused(times=Times(5.0, 5.0, if_error_s=9.0)) == ""


def test_vary_is_a_set_of_names() -> None:
    """In any case and order, over several fields."""
    assert vary_of([b"Accept, accept-language", b"ACCEPT"]) == (b"accept", b"accept-language")
    assert vary_of([]) == vary_of([b" , "]) == ()
