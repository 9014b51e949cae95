"""P: What a route matches: hosts, path, methods, headers and query."""

from typing import Annotated, Literal

from pydantic import Field

from routing.document.base import Shorthand, Spec, option
from routing.document.scalars import Text
from routing.document.wire import HeaderName, Host, Method

PathType = Literal["exact", "prefix", "template", "regex"]


class ValueMatchSpec(Shorthand):
    """A condition on one value: a text alone means `exact`."""

    TEXT_IS = "exact"

    exact: Text | None = option(None, "The value must be this text.", examples=["acme"])
    regex: Annotated[Text, Field(min_length=1)] | None = option(
        None, "The whole value must match this regular expression.", examples=["beta.*"]
    )


class MatchSpec(Spec):
    """What a request must look like. What is left out matches anything."""

    hosts: tuple[Host, ...] = option(
        (),
        "Hosts: exact (api.example.com), a wildcard first label (*.example.com) or an IPv6 address ([::1]).",
    )
    path: Annotated[Text, Field(min_length=1, max_length=2000)] | None = option(
        None, "Path, begins with / (a regular expression may begin with ^/)."
    )
    path_type: PathType = option(
        "prefix",
        "exact, prefix (whole segments: /a matches /a and /a/b, never /ab), template (/orders/{id}: each {name} "
        "stands for one segment) or regex (must match the whole path).",
    )
    methods: tuple[Method, ...] = option((), "Methods in capitals. HEAD is not implied by GET.")
    headers: dict[HeaderName, ValueMatchSpec] = option(
        {}, "Headers that must be there: name to text, or to {regex: …}."
    )
    query: dict[Text, ValueMatchSpec] = option(
        {}, "Query parameters that must be there: name to text, or to {regex: …}."
    )
