"""D: `gateway import openapi`: a configuration document from somebody else's, with what could not be carried over."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from django.db import DatabaseError, InterfaceError

from routing.commands.console import (
    DIFFERENT,
    OK,
    CommandRefused,
    Console,
    add_json,
    read_document,
)
from routing.diff import diff
from routing.document.anchors import parse_foreign
from routing.document.canonical import canonicalise, dump_yaml
from routing.foreign import Converted, NotReadable, slug
from routing.kong.converting import convert as convert_kong
from routing.loader import read_rows
from routing.locking import StoreUnavailable, reading
from routing.nginx.converting import convert as convert_nginx
from routing.openapi.breaking import breaking_changes
from routing.openapi.converting import convert, routes_of
from routing.problems import ConfigurationInvalid
from routing.validation import check_document


def add(subparsers: Any) -> None:
    """Registers the subcommand; each kind of document is one below it."""
    parser = subparsers.add_parser("import", help="make a document from somebody else's configuration")
    kinds = parser.add_subparsers(title="kinds", metavar="KIND", required=True)
    openapi = kinds.add_parser("openapi", help="from OpenAPI 3: a service, and a route for each operation")
    openapi.add_argument("file", metavar="FILE", help="OpenAPI 3 in YAML or JSON; - is standard input")
    openapi.add_argument(
        "--service", metavar="NAME", help="name of the service (default: the document's title)"
    )
    openapi.add_argument("--url", metavar="URL", help="its target (default: the document's first server)")
    openapi.add_argument("--prefix", default="", metavar="P", help="path below which the operations go")
    _add_output(openapi)
    openapi.add_argument(
        "--compare",
        nargs="?",
        const="",
        metavar="DOCUMENT",
        help="write nothing, only compare with what is live, or with a document; exit 0 same, 3 different",
    )
    openapi.set_defaults(run=run_openapi)
    kong = kinds.add_parser("kong", help="from Kong's declarative configuration, as deck dump writes it")
    kong.add_argument("file", metavar="FILE", help="kong.yaml, or JSON; - is standard input")
    _add_output(kong)
    kong.set_defaults(run=run_kong)
    nginx = kinds.add_parser(
        "nginx", help="from nginx's configuration, with what it includes below its folder"
    )
    nginx.add_argument("file", metavar="FILE", help="nginx.conf")
    _add_output(nginx)
    nginx.set_defaults(run=run_nginx)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to (default: standard output)"
    )
    add_json(parser)


def run_kong(options: argparse.Namespace, console: Console) -> int:
    """`gateway import kong FILE`."""
    raw = read_document(options.file, parse_foreign)
    return _told(options, _checked(options.file, lambda: convert_kong(raw)), console)


def run_nginx(options: argparse.Namespace, console: Console) -> int:
    """`gateway import nginx FILE`."""
    return _told(options, _checked(options.file, lambda: convert_nginx(Path(options.file))), console)


def _told(options: argparse.Namespace, converted: Converted, console: Console) -> int:
    if options.as_json:
        console.data({"document": converted.document, "not_carried": list(converted.not_carried)})
    else:
        for line in converted.not_carried:
            console.warn(f"not carried over: {line}")
        _write(options.output, converted, console)
    return OK


def _checked(file: str, made: Callable[[], Converted]) -> Converted:
    """Nothing is written that the gateway would refuse."""
    try:
        converted = made()
    except NotReadable as refusal:
        raise CommandRefused(f"{file}: {refusal}") from refusal
    checked = check_document(converted.document, env={}, require_env=False)
    if checked.problems:
        raise ConfigurationInvalid(checked.problems)
    return converted


def run_openapi(options: argparse.Namespace, console: Console) -> int:
    """`gateway import openapi FILE --service NAME`."""
    converted = _converted(options)
    live = _live(options.compare)
    service = options.service
    breaking = breaking_changes(routes_of(live, service), routes_of(converted.document, service))
    changes = diff(_only(live, service), converted.document)
    if options.as_json:
        told = {"not_carried": list(converted.not_carried), "breaking": breaking}
        what = (
            {"changes": changes.as_json()}
            if options.compare is not None
            else {"document": converted.document}
        )
        console.data({**what, **told})
    else:
        for line in converted.not_carried:
            console.warn(f"not carried over: {line}")
        for line in breaking:
            console.warn(f"breaking: {line}")
        _say(options, converted, changes.render() if changes else "", console)
    return DIFFERENT if options.compare is not None and changes else OK


def _converted(options: argparse.Namespace) -> Converted:
    raw = read_document(options.file, parse_foreign)
    options.service = options.service or _titled(raw)
    return _checked(
        options.file, lambda: convert(raw, service=options.service, url=options.url, prefix=options.prefix)
    )


def _titled(raw: object) -> str:
    """The document's title as a name."""
    info = raw.get("info") if isinstance(raw, dict) else None
    title = info.get("title") if isinstance(info, dict) else None
    return slug(str(title or "").lower(), "service")


def _say(options: argparse.Namespace, converted: Converted, difference: str, console: Console) -> None:
    if options.compare is not None:
        console.say(difference or "nothing to do")
    else:
        _write(options.output, converted, console)


def _write(output: str, converted: Converted, console: Console) -> None:
    if output == "-":
        console.say(dump_yaml(converted.document))
        return
    try:
        Path(output).write_text(dump_yaml(converted.document), encoding="utf-8")
    except OSError as error:
        raise CommandRefused(f"{output}: {error.strerror or error}") from error
    console.warn(f"wrote {len(converted.document['routes'])} routes to {output}")


def _live(compare: str | None) -> dict[str, Any]:
    """What is compared with: a document, or the rows. A database that is away matters only to who asks for it."""
    if compare:
        found = read_document(compare)
        return found if isinstance(found, dict) else {}
    try:
        with reading():
            rows: dict[str, Any] = orjson.loads(orjson.dumps(canonicalise(read_rows())))
            return rows
    except (DatabaseError, InterfaceError, StoreUnavailable):
        if compare is not None:
            raise
        return {}


def _only(document: dict[str, Any], service: str) -> dict[str, Any]:
    """A service with its routes, out of a document."""
    services = [each for each in document.get("services") or [] if each.get("name") == service]
    return {"version": 1, "services": services, "routes": routes_of(document, service)}
