"""D: `gateway explain METHOD URL` (or `--curl FILE`, or `--topic T`): what takes a request; sends nothing."""

import argparse
import os
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import orjson
from django.conf import settings

from routing.callers import UnknownCaller, judge_of
from routing.commands.console import OK, CommandRefused, Console, add_json, read_document, read_text
from routing.compiler import compile_snapshot
from routing.curl import NotCurl, parse_curl
from routing.document.canonical import canonicalise, digest
from routing.explain import NoRequest, Request, explain, has_credentials, request_to
from routing.explaining import topic_explained
from routing.explaintopics import Action
from routing.knowing import knowledge
from routing.knowledge import NOTHING, Knowledge
from routing.lastgood import LastGood
from routing.loader import read_rows
from routing.locking import StoreUnavailable, reading
from routing.models import Revision
from routing.options import compile_options
from routing.problems import quote
from routing.revision import RevisionRecord
from routing.snapshot import Snapshot
from routing.topics import is_topic

FROM = "the client's address, by which quotas may count"
CURL = "instead of METHOD, URL and -H: a curl command in a file, or - for standard input"
_GIVEN_AS = {"url": "URL", "headers": "-H"}
CREDENTIALS = "credentials in the request are not looked at: say --as USER"


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    parser = subparsers.add_parser("explain", help="say which route takes a request, and why; sends nothing")
    parser.add_argument("method", metavar="METHOD", nargs="?", help="such as GET")
    parser.add_argument(
        "url", metavar="URL", nargs="?", help="such as /orders?id=1 or https://api.example.com/orders"
    )
    parser.add_argument(
        "--curl",
        metavar="FILE",
        help=CURL,
    )
    parser.add_argument(
        "--topic", metavar="T", help="instead of a request: who may read this topic, and by which rule"
    )
    parser.add_argument("--publish", action="store_true", help="with --topic: who may write to it")
    parser.add_argument(
        "-H",
        "--header",
        dest="headers",
        action="append",
        default=[],
        metavar="'K: V'",
        help="a request header",
    )
    parser.add_argument(
        "--as", dest="as_user", metavar="USER", help="an account or consumer: whose request it is"
    )
    parser.add_argument("--from", dest="address", default="", metavar="ADDRESS", help=FROM)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--revision", type=int, metavar="N", help="that revision instead of the live one")
    source.add_argument("--draft", action="store_true", help="the rows as they are now")
    source.add_argument("--file", metavar="FILE", help="a document; needs no database")
    add_json(parser)
    parser.set_defaults(run=run_explain)


def run_explain(options: argparse.Namespace, console: Console) -> int:
    """`gateway explain METHOD URL`, or `gateway explain --topic T`."""
    if options.topic is not None:
        return _topic(options, console)
    request = _request(options)
    snapshot = _snapshot(_chosen(options, console))
    with reading() if options.as_user else nullcontext():
        try:
            judge = judge_of(options.as_user)
            explanation = explain(snapshot, request, judge=judge, known=_known(options))
        except UnknownCaller as error:
            raise CommandRefused(str(error)) from None
    if has_credentials(request) and not options.as_user:
        console.warn(CREDENTIALS)
    if options.as_json:
        console.data(explanation.to_json())
    else:
        console.say("\n".join(explanation.lines()))
    return OK


def _request(options: argparse.Namespace) -> Request:
    """By its parts, or as a curl command would send it."""
    address = _address(options.address)
    if options.curl is not None:
        if options.method is not None or options.headers or options.publish:
            raise CommandRefused("--curl brings the method, the URL and the headers itself")
        try:
            given = parse_curl(read_text(options.curl))
        except NotCurl as error:
            raise CommandRefused(f"--curl: {error}") from None
        return _read("--curl", given.method, given.url, given.headers, address)
    if not options.url or options.publish:
        raise CommandRefused("say METHOD and URL, --curl FILE, or --topic T, with --publish or without")
    headers = [_header(text) for text in options.headers]
    return _read("", options.method, options.url, headers, address)


def _read(option: str, method: str, url: str, headers: Iterable[tuple[str, str]], address: str) -> Request:
    """`option`: where all of it came from; empty: each came by itself."""
    try:
        return request_to(method, url, headers, address=address)
    except NoRequest as fault:
        raise CommandRefused(f"{option or _GIVEN_AS[fault.field]}: {fault}") from None


def _topic(options: argparse.Namespace, console: Console) -> int:
    if options.method is not None or options.headers or options.address or options.curl is not None:
        raise CommandRefused("--topic goes with --as, --publish and which configuration, not with a request")
    if not is_topic(options.topic):
        raise CommandRefused(f"--topic {quote(options.topic)}: want 1 to 200 of letters, digits and . _ : -")
    snapshot = _snapshot(_chosen(options, console))
    action: Action = "publish" if options.publish else "subscribe"
    with reading() if options.as_user else nullcontext():
        try:
            found = topic_explained(options.topic, snapshot, caller=options.as_user, action=action)
        except UnknownCaller as error:
            raise CommandRefused(str(error)) from None
    if options.as_json:
        console.data(found.to_json())
    else:
        console.say("\n".join(found.lines()))
    return OK


def _known(options: argparse.Namespace) -> Knowledge:
    """A file is explained without a database."""
    return replace(NOTHING, now=time.time()) if options.file is not None else knowledge()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise CommandRefused(f"-H {text!r}: want 'Name: value'")
    return name, value


def _address(text: str) -> str:
    try:
        return str(ip_address(text)) if text else ""
    except ValueError:
        raise CommandRefused(f"--from {text!r}: want an address such as 203.0.113.7") from None


def _snapshot(record: RevisionRecord) -> Snapshot:
    options = compile_options(settings.CONFIG, os.environ)
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
