"""P: What of a route's answers is compressed, and how a client chooses (RFC 9110 section 12.5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from routing.explanation import PolicyNote
from routing.mediatypes import MediaTypes

if TYPE_CHECKING:
    from routing.document.routes import RouteSpec

Algorithm = Literal["zstd", "br", "gzip"]
ALL: Final[tuple[Algorithm, ...]] = ("zstd", "br", "gzip")
_TEXTS: Final = MediaTypes(
    (
        "text/*",
        "application/json",
        "application/javascript",
        "application/x-javascript",
        "application/xml",
        "application/wasm",
        "application/graphql",
        "application/x-ndjson",
        "application/ndjson",
        "application/json-seq",
        "application/jsonlines",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/sql",
        "application/rtf",
        "application/vnd.ms-fontobject",
        "font/ttf",
        "font/otf",
        "image/svg+xml",
        "image/bmp",
        "image/x-icon",
        "image/vnd.microsoft.icon",
    )
)
_SUFFIXES: Final = ("+json", "+xml", "+text", "+yaml")
NEVER: Final = "text/event-stream"
_LONGEST_FIELD: Final = 256
_MOST_CODINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Compress:
    """How a route's answers are compressed. Sizes in bytes."""

    algorithms: tuple[Algorithm, ...] = ALL
    min_size: int = 1024
    types: MediaTypes = _TEXTS
    has_own_types: bool = False
    except_cookies: bool = False
    except_authorization: bool = False

    def takes(self, media_type: str) -> bool:
        """Whether such a body gets smaller. Events are never kept back, so they are not compressed at all."""
        if media_type == NEVER or not media_type:
            return False
        return self.types.takes(media_type) or (not self.has_own_types and media_type.endswith(_SUFFIXES))


def compress_of(spec: RouteSpec) -> Compress | None:
    """None unless the route says `compress: true`."""
    if not spec.compress:
        return None
    part = spec.compression
    if part is None:
        return Compress()
    return Compress(
        algorithms=tuple(dict.fromkeys(part.algorithms)) or ALL,
        min_size=part.min_size,
        types=MediaTypes(tuple(part.types)) if part.types else _TEXTS,
        has_own_types=bool(part.types),
        except_cookies="cookies" in part.except_with,
        except_authorization="authorization" in part.except_with,
    )


def chosen(accepted: bytes, algorithms: tuple[Algorithm, ...]) -> Algorithm | None:
    """What an Accept-Encoding field asks for; None: the body as it is.

    The highest weight wins, and of equal ones the first of `algorithms`; the body as it is wins only where it is
    named with a higher weight. What does not parse is not accepted. Nobody is refused (RFC 9110 section 12.5.3).
    """
    if len(accepted) > _LONGEST_FIELD:
        accepted = accepted[:_LONGEST_FIELD].rpartition(b",")[0]
    return _chosen(accepted, algorithms)


@lru_cache(maxsize=1024)
def _chosen(accepted: bytes, algorithms: tuple[Algorithm, ...]) -> Algorithm | None:
    weights = dict(_weights(accepted))
    rest = weights.get("*", 0.0)
    best: Algorithm | None = None
    most = weights.get("identity", 0.0)
    for algorithm in algorithms:
        weight = weights.get(algorithm, rest)
        if weight > 0 and (weight > most or (best is None and weight == most)):
            best, most = algorithm, weight
    return best


def compress_note(compress: Compress | None, source: str, accepted: Iterable[bytes]) -> Iterator[PolicyNote]:
    """What the request would get, if its answer is of such a type and long enough."""
    if compress is not None:
        got = chosen(b",".join(accepted), compress.algorithms)
        details = {
            "algorithms": list(compress.algorithms),
            "min_size": compress.min_size,
            "client_gets": got or "identity",
        }
        yield PolicyNote("compress", source, "applies", details)


def _weights(accepted: bytes) -> Iterator[tuple[str, float]]:
    for element in accepted.split(b",")[:_MOST_CODINGS]:
        coding, _, parameter = element.decode("latin-1").lower().partition(";")
        weight = _weight(parameter)
        if weight is not None and (name := coding.strip()):
            yield ("gzip" if name == "x-gzip" else name), weight


def _weight(parameter: str) -> float | None:
    """1 where there is none; None for what is no weight from 0 to 1."""
    if not parameter.strip():
        return 1.0
    name, _, value = parameter.partition("=")
    value = value.strip()
    if name.strip() != "q" or not value.replace(".", "", 1).isdecimal() or not value.isascii():
        return None
    weight = float(value)
    return weight if weight <= 1 else None
