"""P: What can be purged from the response cache, and URLs as orders to do so write them."""

from typing import Final, Literal
from urllib.parse import quote, urlsplit

from routing.paths import BadPath, normalise

Kind = Literal["all", "route", "tag", "url"]
KINDS: Final[tuple[Kind, ...]] = ("all", "route", "tag", "url")
LONGEST_TAG: Final = 200
LONGEST_URL: Final = 2000
_AS_IT_IS: Final = "%/:;=@!$&'()*+,-._~[]|^"


def canonical(written: str) -> str | None:
    """A URL or a path, in the form in which requests are forwarded; None for what is neither.

    A path stands for all hosts and schemes. Of a URL without a query only the answer without one is meant.
    """
    if len(written) > LONGEST_URL or not written.isprintable():
        return None
    try:
        parts = urlsplit(written)
    except ValueError:
        return None
    path = normalise(quote(parts.path or "/", safe=_AS_IT_IS).encode("ascii"))
    if isinstance(path, BadPath) or parts.scheme not in ("", "http", "https"):
        return None
    if bool(parts.scheme) != bool(parts.netloc) or not (parts.path or parts.netloc).strip():
        return None
    query = f"?{parts.query}" if parts.query else ""
    start = f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else ""
    return start + path.forward.decode("latin-1") + query
