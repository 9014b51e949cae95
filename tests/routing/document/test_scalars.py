"""Scalars: what is read, what is refused in which words."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from routing.document.interpolation import fill
from routing.document.scalars import (
    format_duration,
    format_size,
    number_from_environment,
    parse_duration,
    parse_labels,
    parse_media_type,
    parse_name,
    parse_network,
    parse_role,
    parse_scope,
    parse_size,
    selector,
    selector_schema,
)

parse_hash = selector(plain=("ip", "consumer"), keyed=("header", "cookie"))


@pytest.mark.parametrize(
    ("parse", "written", "value"),
    [
        (parse_duration, "250ms", 0.25),
        (parse_duration, "2s", 2.0),
        (parse_duration, "1.5m", 90.0),
        (parse_duration, "1h", 3600.0),
        (parse_duration, "366d", 366 * 86400.0),
        (parse_size, "0B", 0),
        (parse_size, "64KB", 65536),
        (parse_size, "10MB", 10 << 20),
        (parse_size, "1.5 GiB", 3 << 29),
        (parse_size, 5, 5),
        (parse_name, "a", "a"),
        (parse_name, "0.a_B-" + "x" * 94, "0.a_B-" + "x" * 94),
        (parse_media_type, "image/svg+xml", "image/svg+xml"),
        (parse_media_type, "image/*", "image/*"),
        (parse_network, "10.0.0.0/8", "10.0.0.0/8"),
        (parse_network, "127.0.0.1", "127.0.0.1/32"),
        (parse_network, "2001:DB8::/32", "2001:db8::/32"),
        (parse_scope, "https://api.test/orders:read.all", "https://api.test/orders:read.all"),
        (parse_role, "Köche & Kellner", "Köche & Kellner"),
        (parse_labels, "api", ("api",)),
        (parse_labels, ["api", "api://1"], ("api", "api://1")),
        (parse_hash, "ip", "ip"),
        (parse_hash, {"ip": True}, "ip"),
        (parse_hash, {"header": "x-user"}, "header:x-user"),
    ],
)
def test_read(parse: Callable[[Any], Any], written: Any, value: object) -> None:
    """Seconds, bytes, and texts in their standard spelling."""
    assert parse(written) == value


@pytest.mark.parametrize(
    ("parse", "written", "problem_id", "message"),
    [
        (parse_scope, 5, "E004", "must be a text, not 5"),
        (
            parse_scope,
            "a  b",
            "E038",
            '"a  b" is not a scope: up to 200 ASCII characters without spaces, commas and quotes; say [a, b]',
        ),
        (
            parse_scope,
            "",
            "E038",
            '"" is not a scope: up to 200 ASCII characters without spaces, commas and quotes',
        ),
        (
            parse_scope,
            "lé",
            "E038",
            '"lé" is not a scope: up to 200 ASCII characters without spaces, commas and quotes',
        ),
        (parse_role, ["a"], "E004", "must be a text, not a list"),
        (
            parse_role,
            " a",
            "E038",
            '" a" is not a role: up to 150 printable characters, no spaces around them',
        ),
        (
            parse_role,
            "a\nb",
            "E038",
            '"a\\nb" is not a role: up to 150 printable characters, no spaces around them',
        ),
        (parse_labels, [], "E038", "must name at least one"),
        (parse_labels, ["a", 5], "E004", "must be a text or a list of texts, not 5"),
        (parse_labels, "", "E038", "must not be empty, nor longer than 1000 characters"),
        (parse_duration, 30, "E007", 'must be a duration with a unit, such as "30s", not 30'),
        (parse_duration, True, "E007", "true is not a duration such as 250ms, 2s, 5m, 1h or 1d"),
        (parse_duration, "5 s", "E007", '"5 s" is not a duration'),
        (parse_duration, "1m30s", "E007", "is not a duration"),
        (parse_duration, "-1s", "E007", "is not a duration"),
        (parse_duration, "0s", "E007", 'must be longer than 0 and at most 366d, not "0s"'),
        (parse_duration, "367d", "E007", "at most 366d"),
        (parse_duration, float("nan"), "E007", "is not a duration"),
        (parse_size, "10XB", "E008", '"10XB" is not a size such as 64KB, 10MB or 1GB'),
        (parse_size, True, "E008", "true is not a size"),
        (parse_size, -1, "E008", "must be between 0 and"),
        (parse_size, "99999999GB", "E008", "must be between 0 and"),
        (parse_name, 5, "E004", "must be a text, not 5"),
        (parse_name, "a b", "E009", '"a b" is not a name: up to 100 letters, digits'),
        (parse_name, "-a", "E009", "is not a name"),
        (parse_name, "a\n", "E009", "is not a name"),
        (parse_name, "x" * 101, "E009", "is not a name"),
        (parse_media_type, "image", "E038", '"image" is not a media type such as image/png'),
        (
            parse_network,
            "10.0.0.1/8",
            "E035",
            'not an address or a network such as 10.0.0.0/8; say "10.0.0.0/8"',
        ),
        (parse_network, "home", "E035", '"home" is not an address or a network'),
        (parse_network, 10, "E035", "10 is not an address"),
        (
            parse_hash,
            "ipp",
            "E005",
            '"ipp" is not one of {header: …}, {cookie: …}, ip, consumer (did you mean "ip"?)',
        ),
        (parse_hash, {"header": ""}, "E005", "must be one of {header: …}"),
        (parse_hash, {"header": "a", "cookie": "b"}, "E005", "not a mapping"),
        (parse_hash, None, "E005", "not nothing"),
    ],
)
def test_refused(parse: Callable[[Any], Any], written: Any, problem_id: str, message: str) -> None:
    """Each refusal has its id, quotes the value and says what would do."""
    with pytest.raises(PydanticCustomError) as caught:
        parse(written)

    assert caught.value.type == f"gateway.{problem_id}"
    assert message in str(caught.value)


def test_refusal_shows_what_was_written() -> None:
    """A value from the environment is shown as the reference that the document has."""
    with pytest.raises(PydanticCustomError) as caught:
        parse_duration(fill("${WAIT}", {"WAIT": "hunter2"}).value)

    assert str(caught.value).startswith('"${WAIT}" is not a duration')


@given(st.integers(1, 86400 * 300).map(lambda ms: ms / 1000) | st.integers(1, 86400 * 300).map(float))
def test_durations_read_back(seconds: float) -> None:
    """A formatted duration parses to the same number of seconds."""
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


def test_sizes_are_written_with_the_largest_whole_unit() -> None:
    """And are read back as they were."""
    sizes = (0, 1, 1000, 1024, 65_536, 1_048_576, 1_048_577, 3 << 30)
    formatted = [format_size(size) for size in sizes]
    assert formatted == ["0", "1", "1000", "1KB", "64KB", "1MB", "1048577", "3GB"]
    assert [parse_size(int(text) if text.isdecimal() else text) for text in formatted] == list(sizes)


def test_durations_are_formatted_as_people_do() -> None:
    """The largest unit that fits, except that one minute is sixty seconds."""
    formatted = [format_duration(seconds) for seconds in (0.025, 1.5, 30.0, 60.0, 300.0, 7200.0, 172800.0)]

    assert formatted == ["25ms", "1.5s", "30s", "60s", "5m", "2h", "2d"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("-5", -5), ("true", True), ("false", False), ("yes", "yes"), ("5.0", "5.0")],
)
def test_numbers_from_the_environment(text: str, value: object) -> None:
    """What the environment filled in may be a number or boolean; what was written as text stays text."""
    assert number_from_environment(fill("${X}", {"X": text}).value) == value
    assert number_from_environment(text) == text


def test_selector_schema() -> None:
    """Editors learn both spellings."""
    schema = selector_schema(plain=("ip",), keyed=("header",))

    assert schema["anyOf"][0] == {"type": "string", "enum": ["ip"]}
    assert schema["anyOf"][1]["required"] == ["header"]
