"""P: A curl command line, as people paste it, read as the request that it would send."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_WITH_BODY: Final = {
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-ascii",
    "--data-urlencode",
    "--json",
}
_FORM: Final = {"-F", "--form", "--form-string"}
_METHOD: Final = {"-X", "--request"}
_HEADER: Final = {"-H", "--header"}
_URL: Final = {"--url"}
_USER: Final = {"-u", "--user"}
_HEAD: Final = {"-I", "--head"}
_GET: Final = {"-G", "--get"}
# Options with an argument that says nothing about which route matches.
_SKIPPED: Final = {
    "-o", "--output", "-m", "--max-time", "--connect-timeout", "-w", "--write-out", "--retry", "-x", "--proxy",
    "--resolve", "--connect-to", "--cacert", "--cert", "--key", "-E", "-T", "--upload-file", "-c", "--cookie-jar",
    "--limit-rate", "--interface", "--unix-socket", "-D", "--dump-header",
}  # fmt: skip
_HEADERS_BY_OPTION: Final = {
    "-A": "User-Agent",
    "--user-agent": "User-Agent",
    "-b": "Cookie",
    "--cookie": "Cookie",
    "-e": "Referer",
    "--referer": "Referer",
}
_SHORT_WITH_VALUE: Final = frozenset("XHdFAbeomwxETcDu")


class NotCurl(ValueError):  # noqa: N818 - a finding about what somebody pasted
    """The text is not a curl command that can be read; str(error) says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What curl would send; `url` as written."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]


def parse_curl(text: str) -> Request:
    """Reads one command; raises NotCurl."""
    words = _words(text)
    if not words or words[0].rpartition("/")[2] not in ("curl", "curl.exe"):
        raise NotCurl("a curl command begins with curl")
    given = list(_options(words[1:]))
    urls = [value for option, value in given if option in _URL or not option]
    if not urls:
        raise NotCurl("there is no URL in it")
    headers = tuple(header for option, value in given for header in _headers(option, value))
    return Request(_method(given), urls[0], headers)


def _method(given: Sequence[tuple[str, str]]) -> str:
    options = {option for option, _ in given}
    named = [value.upper() for option, value in given if option in _METHOD]
    if named:
        return named[-1]
    if options & _HEAD:
        return "HEAD"
    return "POST" if options & (_WITH_BODY | _FORM) and not options & _GET else "GET"


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, empty for switches; what is no option comes under an empty name."""
    rest = iter(words)
    for word in rest:
        option, value = _option(word)
        if option and _takes_value(option) and value is None:
            value = next(rest, None)
            if value is None:
                raise NotCurl(f"{option} lacks its value")
        yield option, value or ""


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " ").replace("$'", "'"))
    except ValueError as error:
        raise NotCurl(f"the quotes do not match: {error}") from None


def _option(word: str) -> tuple[str, str | None]:
    """The option and the value that is glued to it; an empty option for any other word."""
    if not word.startswith("-") or word == "-":
        return "", word
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    # -sSX POST and -XPOST: switches may stand before the one option that takes a value.
    for index, letter in enumerate(word[1:], start=1):
        if letter in _SHORT_WITH_VALUE:
            return f"-{letter}", word[index + 1 :] or None
    return f"-{word[-1]}", None


def _takes_value(option: str) -> bool:
    known = _METHOD | _HEADER | _URL | _WITH_BODY | _FORM | _SKIPPED | _USER
    return option in known or option in _HEADERS_BY_OPTION or option == "--oauth2-bearer"


def _headers(option: str, value: str) -> list[tuple[str, str]]:
    if option in _HEADER:
        name, colon, text = value.partition(":")
        return [(name.strip(), text.strip())] if colon and name.strip() else []
    if option == "--oauth2-bearer":
        return [("Authorization", f"Bearer {value}")]
    if option in _HEADERS_BY_OPTION:
        return [(_HEADERS_BY_OPTION[option], value)]
    return [("Authorization", "Basic …")] if option in _USER else []
