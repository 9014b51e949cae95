"""Files judged while they pass: the verdict does not depend on the pieces."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.uploads import MOST_OTHER, BodyCheck, FormCheck, Judge, declared_too_large
from routing.mediatypes import MediaTypes
from routing.shapes.validation import UploadRules

PNG = b"\x89PNG\r\n\x1a\n"
RULES = UploadRules(MediaTypes(("image/png", "image/jpeg")), max_file=2000, max_total=3000)


def file(content: bytes, *, name: str = "f", filename: str = "a.png", declared: str = "image/png") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {declared}\r\n\r\n'
    return head.encode() + content


def field(content: bytes, name: str = "n") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def judged(judge: Judge, pieces: Iterable[bytes]) -> tuple[int, str, dict[str, Any]] | None:
    """Status, reason and details of the refusal, if there is one."""
    wrong = None
    for piece in pieces:
        wrong = wrong or judge.feed(piece)
    wrong = wrong or judge.finish()
    return None if wrong is None else (wrong.rejection.status, wrong.reason, dict(wrong.rejection.details))


def verdict(body: bytes, cuts: Iterable[int] = (), rules: UploadRules = RULES) -> Any:
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    return judged(FormCheck(rules, "b"), [body[start:end] for start, end in pairwise(places)])


@pytest.mark.parametrize(
    ("parts", "status", "details"),
    [
        ([file(PNG)], None, {}),
        ([field(b"a" * 5000), file(PNG)], None, {}),
        ([file(b"", filename="", declared="application/octet-stream")], None, {}),
        ([file(PNG + b"\0" * 1992)], None, {}),
        (
            [file(PNG + b"\0" * 1993)],
            413,
            {"part": "f", "file": "a.png", "max_file": 2000, "expected": "at most 2000 bytes"},
        ),
        (
            [file(PNG + b"\0" * 1500), file(PNG + b"\0" * 1500, name="g")],
            413,
            {"part": "g", "file": "a.png", "max_total": 3000, "expected": "at most 3000 bytes"},
        ),
        (
            [file(PNG), field(b"x"), file(b"MZ" + b"\0" * 100, filename="x" * 200)],
            415,
            {
                "part": "f",
                "file": "x" * 79 + "…",
                "expected": ["image/png", "image/jpeg"],
                "found": "application/x-executable",
            },
        ),
        ([file(b"", filename="a.png")], 415, {"found": "not recognised"}),
        ([file(b"<svg>", declared="image/svg+xml")], 415, {"found": "image/svg+xml"}),
        (
            [b'Content-Disposition: form-data; name="f"\r\nContent-Type: image/png\r\n\r\nMZ'],
            415,
            {"file": None},
        ),
        ([field(b"a" * (MOST_OTHER + 1))], 413, {"expected": f"at most {MOST_OTHER} bytes"}),
        ([field(b"x"), b"nonsense"], 400, {"part": "n"}),
    ],
)
def test_verdicts(parts: list[bytes], status: int | None, details: dict[str, Any]) -> None:
    """The first thing that is wrong, with its part."""
    found = verdict(form(*parts))

    if status is None:
        assert found is None
    else:
        assert found[0] == status
        assert details.items() <= found[2].items()


contents = st.builds(
    lambda start, size: start + b"\0" * size,
    st.sampled_from([PNG, b"\xff\xd8\xff", b"MZ", b"", b"GIF89a"]),
    st.sampled_from([0, 1, 1000, 1020, 1500, 1999, 2500]),
)
parts = st.one_of(contents.map(file), st.binary(max_size=20).map(field), st.just(b"nonsense"))


@given(st.lists(parts, max_size=4), st.lists(st.integers(0, 4000), max_size=12), st.booleans())
def test_any_pieces_give_the_verdict_on_the_whole(found: list[bytes], cuts: list[int], is_cut: bool) -> None:
    """To the letter."""
    body = form(*found)
    body = body[: len(body) * 2 // 3] if is_cut else body

    assert verdict(body, cuts) == verdict(body)


def test_the_first_file_is_sure_as_soon_as_it_can_be() -> None:
    """At its end, or when there is enough of it."""
    short, long = FormCheck(RULES, "b"), FormCheck(RULES, "b")
    short.feed(form(field(b"x")).removesuffix(b"--b--\r\n"))
    assert not short.is_sure
    short.feed(b"--b\r\n" + file(PNG) + b"\r\n--b")
    assert not short.is_sure
    short.feed(b"\r\n")
    assert short.is_sure

    long.feed(b"--b\r\n" + file(PNG + b"\0" * 1100))
    assert long.is_sure


@given(contents, st.lists(st.integers(0, 3000), max_size=8))
def test_a_body_that_is_a_file(content: bytes, cuts: list[int]) -> None:
    """By the same rules."""
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    pieces = [content[start:end] for start, end in pairwise(places)]

    assert judged(BodyCheck(RULES, "image/png"), pieces) == judged(BodyCheck(RULES, "image/png"), [content])


def test_a_length_says_enough() -> None:
    """Where fields cannot explain it."""
    assert declared_too_large(RULES, 3000 + MOST_OTHER, is_form=True) is None
    assert declared_too_large(RULES, 3001 + MOST_OTHER, is_form=True) is not None
    assert declared_too_large(RULES, 2001, is_form=False) is not None
    assert declared_too_large(UploadRules(MediaTypes(("image/png",))), 1 << 40, is_form=True) is None
