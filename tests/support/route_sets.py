"""P: Random routes and requests from so small a world that they often meet."""

import re

from hypothesis import strategies as st

from routing.conditions import HeaderCondition, QueryCondition
from routing.patterns import PathType
from routing.snapshot import CompiledRoute
from tests.support.reference_matcher import Wanted, make_route

_SEGMENTS = st.sampled_from(["a", "b", "é", "%2F"])
_TEMPLATE_SEGMENTS = st.sampled_from(["a", "b", "{x}", "{y}", "{z}"])
_METHODS = st.sampled_from([(), (), ("GET",), ("POST",), ("GET", "POST")])
_HOSTS = st.sampled_from([(), (), ("a.b.c",), ("*.b.c",), ("*.c",), ("a.b.c", "*.c"), ("*.b.c", "d")])
_HEADERS = st.sampled_from(
    [
        (),
        (),
        (HeaderCondition(b"x", b"1"),),
        (HeaderCondition(b"x", regex=re.compile("[12]")), HeaderCondition(b"y", b"1")),
    ]
)
_QUERIES = st.sampled_from(
    [(), (), (QueryCondition(b"q", b"1"),), (QueryCondition(b"q", regex=re.compile(".")),)]
)
_REGEXES = st.sampled_from(["/.*", "/a/.*", "/a/b", "/(a|b)/?", "/a/b?", "/a|/b/a", "/[^/]+/b", "^/a/b/.*$"])


@st.composite
def _paths(draw: st.DrawFn) -> tuple[str, PathType]:
    kind: PathType = draw(st.sampled_from(["exact", "prefix", "template", "regex"]))
    if kind == "regex":
        return draw(_REGEXES), kind
    segments = draw(st.lists(_TEMPLATE_SEGMENTS if kind == "template" else _SEGMENTS, max_size=4))
    if len({s for s in segments if s.startswith("{")}) < sum(s.startswith("{") for s in segments):
        segments = ["{x}"]
    return "/" + "/".join(segments) + draw(st.sampled_from(["", "", "/"])), kind


@st.composite
def _routes(draw: st.DrawFn) -> list[CompiledRoute]:
    return [
        make_route(
            f"r{number}",
            *draw(_paths()),
            priority=draw(st.sampled_from([0, 0, 0, 1, -1])),
            hosts=draw(_HOSTS),
            methods=draw(_METHODS),
            headers=draw(_HEADERS),
            query=draw(_QUERIES),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


WANTED = st.builds(
    Wanted,
    method=st.sampled_from(["GET", "POST", "HEAD"]),
    host=st.sampled_from([b"a.b.c", b"A.B.C:80", b"x.b.c", b"x.c", b"d", b"c", b""]),
    path=st.builds(
        lambda segments, end: "/" + "/".join(segments) + end,
        st.lists(st.sampled_from(["a", "b", "é", "%2F", "health"]), max_size=5),
        st.sampled_from(["", "", "/"]),
    ).map(lambda path: path.replace("//", "/")),
    headers=st.sampled_from(
        [(), ((b"x", b"1"),), ((b"x", b"2"), (b"y", b"1")), ((b"x", b"3"), (b"x", b"1"))]
    ),
    query=st.sampled_from([b"", b"q=1", b"q=2&q=1", b"q=22"]),
)


ROUTES = _routes()
