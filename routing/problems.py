"""P: Problems of a configuration document: a stable id, the place, and a sentence that helps.

One table holds every id. The texts are part of the product: they name the place as the document
spells it, quote the value as it was written (never a secret), and suggest what was probably meant.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Final

IDS: Final[dict[str, str]] = {
    "gateway.E001": "the document cannot be read",
    "gateway.E002": "unknown key",
    "gateway.E003": "required key is missing",
    "gateway.E004": "wrong kind of value",
    "gateway.E005": "not one of the possible values",
    "gateway.E006": "number out of range",
    "gateway.E007": "not a duration",
    "gateway.E008": "not a size",
    "gateway.E009": "not a name",
    "gateway.E010": "name used twice",
    "gateway.E011": "reference to something that does not exist",
    "gateway.E012": "a route needs exactly one destination",
    "gateway.E013": "not a path that a request can have",
    "gateway.E014": "faulty path template",
    "gateway.E015": "faulty or dangerous regular expression",
    "gateway.E016": "not a host",
    "gateway.E017": "not a method",
    "gateway.E018": "not a header name, or a header that belongs to the gateway",
    "gateway.E019": "not a header value",
    "gateway.E020": "not a target URL",
    "gateway.E021": "protocol and target do not go together",
    "gateway.E022": "keys exclude each other",
    "gateway.E023": "redirect leads nowhere",
    "gateway.E024": "this status has no body",
    "gateway.E025": "faulty TLS settings",
    "gateway.E026": "a secret is written out",
    "gateway.E027": "environment variable is not set",
    "gateway.E028": "malformed ${…}",
    "gateway.E029": "this value cannot come from the environment",
    "gateway.E030": "not honoured by this version",
    "gateway.E032": "entry given twice",
    "gateway.E033": "too large or nested too deeply",
    "gateway.E034": "unsupported version of the document",
    "gateway.E035": "not an address or network",
    "gateway.E036": "a key needs another",
    "gateway.E037": "not a URL",
    "gateway.E038": "text is empty, too long or has impossible characters",
    "gateway.E039": "not a JMESPath expression",
    "gateway.E040": "not an origin",
    "gateway.E041": "not a JSON Schema that can be used",
    "gateway.E042": "not a JSON pointer",
    "gateway.E043": "not a pattern of topics",
    "gateway.E045": "stands for nothing of a request",
    "gateway.E046": "WebSocket connections to a service that cannot carry them",
    "gateway.E047": "gRPC and a service or route that does not go with it",
    "gateway.E048": "an extra that is not installed",
    "gateway.E049": "an entry that belongs to somebody else",
    "gateway.E099": "further problems were left out",
    "gateway.W001": "environment variable is not set",
    "gateway.W002": "route is never reached: its path belongs to the gateway",
    "gateway.W003": "regular expression may be slow",
    "gateway.W004": "service has no targets",
    "gateway.W005": "setting has no effect",
    "gateway.W006": "role is not in the document",
    "gateway.W007": "keys come unencrypted",
    "gateway.W008": "tokens for others are accepted, too",
    "gateway.W009": "secret can be guessed",
    "gateway.W010": "token cannot be verified by the service that gets it",
}

MASK: Final = "***"
_QUOTE_LIMIT: Final = 80
_MANY_WORDS: Final = 200
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SECRET_TEXT: Final = re.compile(r"PRIVATE KEY|-----BEGIN|(?<=://)[^/@\s]+@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `path` is the place in the document; `value` a scalar as written, or None."""

    id: str
    path: str
    message: str
    value: object = None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def as_json(self) -> dict[str, object]:
        """The finding for `--json` output and API answers."""
        return {"id": self.id, "path": self.path, "message": self.message, "value": self.value}


class ConfigurationInvalid(Exception):  # noqa: N818 - reads as the state it reports
    """A document was refused; `problems` holds every reason, in document order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def format_path(location: Sequence[str | int]) -> str:
    """`("routes", 3, "match", "hosts", 0)` → `routes[3].match.hosts[0]`; odd keys are quoted."""
    parts: list[str] = []
    for step in location:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{quote(step)}]")
    return "".join(parts)


def quote(value: object) -> str:
    """A scalar for a message: as written before the environment was filled in, short, no secrets."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _shorten(str(value)) if not isinstance(value, int) or abs(value) < 10**30 else "a huge number"
    if isinstance(value, str):
        return f'"{_shorten(_printable(as_written(value)))}"'
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def as_written(value: str) -> str:
    """The text as the document has it, when it was filled in from the environment; no secrets."""
    written = str(getattr(value, "written", value))
    return MASK if _SECRET_TEXT.search(written) else written


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    wanted = word.lower()[:_QUOTE_LIMIT]
    lowered = {candidate.lower(): candidate for candidate in known}
    if len(lowered) > _MANY_WORDS:  # comparing all would take a tenth of a second for each wrong name
        near = (name for name in lowered if name[:1] == wanted[:1] and abs(len(name) - len(wanted)) < 3)
        lowered = {name: lowered[name] for name in islice(near, _MANY_WORDS)}
    matches = get_close_matches(wanted, lowered, n=1, cutoff=0.6)
    return lowered[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "orders"?)`, or nothing when no known word is near."""
    match = nearest(word, known)
    return f' (did you mean "{match}"?)' if match is not None else ""


def _shorten(text: str) -> str:
    return text if len(text) <= _QUOTE_LIMIT else f"{text[: _QUOTE_LIMIT - 1]}…"


def _printable(text: str) -> str:
    head = text[: _QUOTE_LIMIT + 1]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in head)
