"""I: The application's own log as lines of JSON, with the ids of the request that a line is about."""

import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson


class Ids(NamedTuple):
    """Of the request that is served."""

    request_id: str = ""
    trace_id: str = ""


NOBODY: Final = Ids()
IDS: Final[ContextVar[Ids]] = ContextVar("torana.ids", default=NOBODY)
"""Set for what the gateway's own endpoints do; forwarded requests name theirs by `extra`."""


class JsonFormatter(logging.Formatter):
    """One object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message; the ids, and what was raised, where there is any."""
        ids = IDS.get()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in Ids._fields:
            if found := getattr(record, name, "") or getattr(ids, name):
                line[name] = found
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()
