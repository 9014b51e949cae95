"""I: As much of curl as the documents use, for machines that have none.

python tests/support/curl.py [-s] [-i] [-X METHOD] [-H FIELD] [-d DATA] [-F PART] [-u USER:PASSWORD] [-b FILE] [-c FILE]
    URL
"""

import argparse
import base64
import sys
from http.cookiejar import LoadError, MozillaCookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener


def main(arguments: list[str]) -> None:
    options = parser().parse_args(arguments)
    jar = MozillaCookieJar()
    if options.b and Path(options.b).exists():
        jar.load(options.b, ignore_discard=True)
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(jar))
    try:
        answer = opener.open(request(options), timeout=30)
    except HTTPError as refused:
        answer = refused
    with answer:
        text = answer.read().decode()
        if options.i:
            fields = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            text = f"HTTP/1.1 {answer.status} {answer.reason}\r\n{fields}\r\n{text}"
    sys.stdout.write(text)
    if options.c:
        jar.save(options.c, ignore_discard=True)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser()
    found.add_argument("-s", action="store_true")
    found.add_argument("-i", action="store_true")
    found.add_argument("-X")
    found.add_argument("-H", action="append", default=[])
    found.add_argument("-d", action="append", default=[])
    found.add_argument("-F", action="append", default=[])
    found.add_argument("-u")
    found.add_argument("-b")
    found.add_argument("-c")
    found.add_argument("url")
    return found


def request(options: argparse.Namespace) -> Request:
    data = "&".join(options.d).encode() if options.d else form(options.F) if options.F else None
    found = Request(options.url, data=data, method=options.X or ("GET" if data is None else "POST"))
    if options.F:
        found.add_header("Content-Type", "multipart/form-data; boundary=curl")
    for field in options.H:
        name, _, value = field.partition(":")
        found.add_header(name, value.strip())
    if options.u:
        found.add_header("Authorization", f"Basic {base64.b64encode(options.u.encode()).decode()}")
    return found


def form(parts: list[str]) -> bytes:
    """NAME=@FILE;type=TYPE each."""
    body = b""
    for part in parts:
        name, _, value = part.partition("=@")
        path, _, kind = value.partition(";type=")
        head = f'form-data; name="{name}"; filename="{Path(path).name}"\r\nContent-Type: {kind}\r\n\r\n'
        body += f"--curl\r\nContent-Disposition: {head}".encode() + Path(path).read_bytes() + b"\r\n"
    return body + b"--curl--\r\n"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, LoadError) as error:
        sys.exit(f"curl: {error}")
