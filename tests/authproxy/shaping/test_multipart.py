"""multipart/form-data read piece by piece: the same parts whatever the pieces, and the same that others find."""

import time
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser

from authproxy.shaping.multipart import BOUNDARY, MOST_PARTS, Malformed, MultipartReader, PartBegins, PartEnds

Part = tuple[str, str | None, str, bytes]


def read(pieces: Iterable[bytes], boundary: str = "b") -> list[Part]:
    """Name, file's name, type and content of each part."""
    reader = MultipartReader(boundary)
    found: list[Any] = []
    for piece in pieces:
        for event in reader.feed(piece):
            if isinstance(event, PartBegins):
                found.append([*event, b""])
            elif isinstance(event, bytes):
                found[-1][3] += event
            else:
                assert isinstance(event, PartEnds)
    reader.finish()
    return [tuple(part) for part in found]


def verdict(pieces: Iterable[bytes]) -> object:
    """The parts, or why there are none."""
    try:
        return read(pieces)
    except Malformed as malformed:
        return str(malformed)


def form(*parts: bytes, boundary: bytes = b"b") -> bytes:
    """A body of parts with their heads."""
    return b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary


def part(name: str = "f", content: bytes = b"x", *, more: str = "", head: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n{head}\r\n'.encode() + content


ONE = form(part("a", b"1"))


def test_parts_are_found() -> None:
    """Fields, files, and what they say of themselves."""
    picture = part("p", b"\r\n-\r\n--", more='; filename="é.png"', head="Content-Type: image/png\r\n")

    assert read([form(part("a", b"1"), picture, part("e", b""))]) == [
        ("a", None, "", b"1"),
        ("p", "é.png", "image/png", b"\r\n-\r\n--"),
        ("e", None, "", b""),
    ]
    assert read([b"--b--"]) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "cut off"),
        (b"\r\n" + ONE, "does not begin with"),
        (b"preamble\r\n" + ONE, "does not begin with"),
        (ONE[:-4], "cut off"),
        (ONE[:-3], "cut off"),
        (ONE + b"x", "follows its last"),
        (ONE + b"\r\n", "follows its last"),
        (ONE + ONE, "follows its last"),
        (form(part(content=b"x\n--b\r\nContent-Disposition: form-data; name=y\r\n\r\nz")), "inside a part"),
        (form(part(content=b"x--b")), "inside a part"),
        (form(part(content=b"x\r\n--b \r\n")), "followed by something"),
        (form(part(content=b"x\r\n--bc\r\n")), "followed by something"),
        (b"--b\r\n" + part(content=b"") + b"--b--", "inside a part"),
        (form(b"\r\nx"), "no Content-Disposition"),
        (form(b"Content-Type: a/b\r\n\r\nx"), "no Content-Disposition"),
        (form(b"Content-Disposition: attachment; filename=x\r\n\r\nx"), "of form-data"),
        (form(part(head="Content-Disposition: form-data\r\n")), "twice"),
        (form(part(head=" folded\r\n")), "malformed header"),
        (form(part(head="A: b\nC: d\r\n")), "malformed header"),
        (form(part(head="A: b\rC: d\r\n")), "malformed header"),
        (form(part(head="A : b\r\n")), "malformed header"),
        (form(part(head="Content-Transfer-Encoding: base64\r\n")), "transfer encoding"),
        (form(part(head="Content-Type: multipart/mixed; boundary=c\r\n")), "made of parts"),
        (form(part(head="A: " + "b" * 9000 + "\r\n")), "more than 8192 bytes"),
        (form(part(head="".join(f"A{n}: b\r\n" for n in range(20)))), "more than 16"),
        (form(*[part()] * (MOST_PARTS + 1)), "more than 1000 parts"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(body: bytes, why: str) -> None:
    """At once, and byte by byte."""
    assert why in str(verdict([body]))
    assert verdict([body]) == verdict([body[at : at + 1] for at in range(len(body))])


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('; filename="a\\"b.png"', 'a\\"b.png'),
        ("; filename=a.png", "a.png"),
        ("; FileName=a.png", "a.png"),
        ("; filename*=UTF-8''a.png", "a.png"),
        (";filename=''", "''"),
        ('; filename=""', ""),
        ("; filename", "?"),
        ('; filename ="a.png"', "?"),
        ('; x="; filename=a.png', "a.png"),
        ("", None),
    ],
)
def test_whatever_may_be_read_as_a_file_is_one(disposition: str, filename: str | None) -> None:
    """However it is spelled."""
    assert read([form(part(more=disposition))])[0][1] == filename


def test_boundaries() -> None:
    """RFC 2046 section 5.1.1."""
    assert BOUNDARY.fullmatch("----WebKitFormBoundary7MA4YWxkTrZu0gW")
    assert BOUNDARY.fullmatch("a b")
    for wrong in ("", "a ", "a" * 71, "a\n", "a;b", "é"):
        assert not BOUNDARY.fullmatch(wrong)


tricky = st.lists(
    st.sampled_from([b"\r\n", b"--b", b"--", b"-", b"\r", b"\n", b"b", b"a", b":", b"\r\n\r\n", part(), ONE]),
    max_size=12,
).map(b"".join)
bodies = st.one_of(
    st.lists(tricky.map(lambda content: part(content=content)), max_size=4).map(lambda parts: form(*parts)),
    tricky.map(lambda rest: b"--b\r\n" + rest),
    st.tuples(st.lists(st.binary(max_size=40), max_size=3), tricky).map(
        lambda both: form(*(part(content=content) for content in both[0])) + both[1]
    ),
)


@given(bodies, st.lists(st.integers(0, 300), max_size=20))
def test_any_pieces_give_the_same_verdict(body: bytes, cuts: list[int]) -> None:
    """Parts, or what is wrong."""
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})

    assert verdict(body[start:end] for start, end in pairwise(places)) == verdict([body])


@given(bodies)
def test_others_find_the_same_parts(body: bytes) -> None:
    """What is taken here, another reader takes for the same."""
    ours = verdict([body])
    if isinstance(ours, str):
        return
    contents: list[bytes] = []
    parser = MultipartParser(
        b"b",
        {
            "on_part_begin": lambda: contents.append(b""),
            "on_part_data": lambda data, start, end: contents.append(contents.pop() + data[start:end]),
        },
    )
    parser.write(body)
    parser.finalize()

    assert isinstance(ours, list)
    assert contents == [found[3] for found in ours]


def test_no_header_field_takes_long() -> None:
    """Spaces that are neither the value's beginning nor its end, in as many parts as there is room for."""
    body = form(*[part(head="A: a" + " " * 8000 + "a\r\n")] * 200)
    began = time.process_time()

    assert len(read([body])) == 200
    assert time.process_time() - began < 5
