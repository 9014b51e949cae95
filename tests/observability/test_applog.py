"""The application's log as JSON."""

import logging
import sys
from typing import Any

import orjson

from observability.applog import IDS, Ids, JsonFormatter


def formatted(message: str, *args: object, **fields: Any) -> dict[str, Any]:
    made = logging.makeLogRecord(
        {"name": "torana", "levelname": "ERROR", "msg": message, "args": args, **fields}
    )
    text = JsonFormatter().format(made)
    assert "\n" not in text
    found: dict[str, Any] = orjson.loads(text)
    return found


def test_a_line() -> None:
    found = formatted("two\nlines of %s", "it", created=0.0)

    assert found == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "ERROR",
        "logger": "torana",
        "message": "two\nlines of it",
    }


def test_ids_are_those_of_the_line_or_of_the_request_that_is_served() -> None:
    token = IDS.set(Ids("r1", "t1"))
    found = [formatted("x"), formatted("x", request_id="r2")]
    IDS.reset(token)

    assert [(each["request_id"], each["trace_id"]) for each in found] == [("r1", "t1"), ("r2", "t1")]


def test_what_was_raised() -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        found = formatted("x", exc_info=sys.exc_info())

    assert found["exception"].endswith("ValueError: odd")
