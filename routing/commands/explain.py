"""D: `gateway explain METHOD URL`: which route takes a request and why, and which did not; sends nothing."""

import argparse
import os
from typing import Any

import orjson
from django.conf import settings

from routing.commands.console import OK, CommandRefused, Console, add_json, read_document
from routing.compiler import CompileOptions, compile_snapshot
from routing.document.canonical import canonicalise, digest
from routing.explain import explain, request_to
from routing.lastgood import LastGood
from routing.loader import read_rows
from routing.locking import StoreUnavailable, reading
from routing.models import Revision
from routing.revision import RevisionRecord
from routing.snapshot import Snapshot

NOT_YET = "identity is not evaluated by this version: --as changes nothing"


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser("explain", help="say which route takes a request, and why; sends nothing")
    parser.add_argument("method", metavar="METHOD", help="such as GET")
    parser.add_argument("url", metavar="URL", help="such as /orders?id=1 or https://api.example.com/orders")
    parser.add_argument(
        "-H",
        "--header",
        dest="headers",
        action="append",
        default=[],
        metavar="'K: V'",
        help="a request header",
    )
    parser.add_argument("--as", dest="as_user", metavar="USER", help="whose request it is")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--revision", type=int, metavar="N", help="that revision instead of the live one")
    source.add_argument("--draft", action="store_true", help="the rows as they are now")
    source.add_argument("--file", metavar="FILE", help="a document; needs no database")
    add_json(parser)
    parser.set_defaults(run=run_explain)


def run_explain(options: argparse.Namespace, console: Console) -> int:
    """`gateway explain METHOD URL`."""
    request = request_to(options.method, options.url, [_header(text) for text in options.headers])
    if options.as_user:
        console.warn(NOT_YET)
    explanation = explain(_snapshot(_chosen(options, console)), request)
    if options.as_json:
        console.data(explanation.to_json())
    else:
        console.say("\n".join(explanation.lines()))
    return OK


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise CommandRefused(f"-H {text!r}: want 'Name: value'")
    return name, value


def _snapshot(record: RevisionRecord) -> Snapshot:
    config = settings.CONFIG
    options = CompileOptions(
        env=os.environ,
        api_prefix=config.api_prefix,
        service_timeout_s=config.service_timeout_s,
    )
    return compile_snapshot(record.document, revision=record.number, options=options)


def _chosen(options: argparse.Namespace, console: Console) -> RevisionRecord:
    if options.file is not None:
        return _unpublished(read_document(options.file))
    if options.draft:
        with reading():
            return _unpublished(canonicalise(read_rows()))
    try:
        with reading():
            query = Revision.objects.all()
            if options.revision is not None:
                query = query.filter(number=options.revision)
            row = query.first()
    except StoreUnavailable as error:
        return _kept(options, console, error)
    if row is None:
        missing = "nothing was published yet"
        raise CommandRefused(
            missing if options.revision is None else f"there is no revision {options.revision}"
        )
    return RevisionRecord(row.number, row.digest, orjson.loads(row.document))


def _kept(options: argparse.Namespace, console: Console, error: StoreUnavailable) -> RevisionRecord:
    """Without a database, what a worker would start with."""
    record = LastGood(settings.CONFIG.var_dir).load()
    if record is None or options.revision not in (None, record.number):
        raise error
    console.warn(f"{error}; explaining the kept revision {record.number}")
    return record


def _unpublished(document: Any) -> RevisionRecord:
    is_document = isinstance(document, dict)
    return RevisionRecord(0, digest(document) if is_document else "", document)
