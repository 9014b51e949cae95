"""D: `gateway apply`, `diff`, `export`, `validate` and `schema`: documents in and out."""

import argparse
import os
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from routing.commands.console import (
    DIFFERENT,
    OK,
    REFUSED,
    CommandRefused,
    Console,
    add_author,
    add_file,
    add_json,
    author,
    read_document,
)
from routing.document.canonical import canonicalise, dump_yaml
from routing.document.schema import json_schema
from routing.drafts import Actor
from routing.loader import read_rows
from routing.locking import reading
from routing.merging import managed_part
from routing.models import Revision
from routing.publishing import Outcome, apply_document
from routing.validation import check_document


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    apply = subparsers.add_parser("apply", help="make the database match a document, and publish it")
    add_file(apply)
    apply.add_argument("--dry-run", action="store_true", help="only show what would change")
    apply.add_argument("--prune", action="store_true", help="remove what the document does not name")
    _add_owner(apply)
    apply.add_argument("--draft", action="store_true", help="change the rows without publishing")
    apply.add_argument(
        "--expect", type=int, metavar="N", help="refuse unless revision N is live (0: none yet)"
    )
    add_author(apply)
    add_json(apply)
    apply.set_defaults(run=run_apply)

    diff = subparsers.add_parser("diff", help="show what apply would change; exit 0 same, 3 different")
    add_file(diff)
    diff.add_argument("--prune", action="store_true", help="as apply --prune would")
    _add_owner(diff)
    add_json(diff)
    diff.set_defaults(run=run_diff)

    export = subparsers.add_parser("export", help="print the whole configuration as one document")
    export.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="where to (default: standard output)"
    )
    export.add_argument("--revision", type=int, metavar="N", help="that revision instead of the rows")
    export.add_argument("--managed-by", default="", metavar="NAME", help="only what NAME manages")
    add_json(export)
    export.set_defaults(run=run_export)

    validate = subparsers.add_parser("validate", help="check a document without a database")
    add_file(validate)
    add_json(validate)
    validate.set_defaults(run=run_validate)

    schema = subparsers.add_parser("schema", help="print the JSON Schema of the document, for editors")
    add_json(schema)
    schema.set_defaults(run=run_schema)


def run_apply(options: argparse.Namespace, console: Console) -> int:
    """`gateway apply FILE`."""
    raw = read_document(options.file)
    actor = author(options)
    if options.prune and not options.dry_run and not options.as_json:
        _list_pruned(apply_document(raw, actor=actor, prune=True, dry_run=True, **_owner(options)), console)
    outcome = apply_document(
        raw,
        actor=actor,
        message=options.message,
        source="cli",
        prune=options.prune,
        draft=options.draft,
        dry_run=options.dry_run,
        expected_revision=options.expect,
        **_owner(options),
    )
    if options.dry_run and not options.as_json:
        _list_pruned(outcome, console)
    _show(outcome, console, as_json=options.as_json)
    return OK


def run_diff(options: argparse.Namespace, console: Console) -> int:
    """`gateway diff FILE`."""
    raw = read_document(options.file)
    outcome = apply_document(raw, actor=Actor("diff"), prune=options.prune, dry_run=True, **_owner(options))
    if options.as_json:
        console.data(outcome.changes.as_json())
    elif outcome.changes:
        console.say(outcome.changes.render())
    return DIFFERENT if outcome.changes else OK


def run_export(options: argparse.Namespace, console: Console) -> int:
    """`gateway export [FILE]`."""
    document = _revision(options.revision) if options.revision is not None else _rows()
    if options.managed_by:
        document = managed_part(document, options.managed_by)
    text = (
        orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"
        if options.as_json
        else dump_yaml(document)
    )
    if options.file == "-":
        console.say(text)
        return OK
    try:
        Path(options.file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandRefused(f"{options.file}: {error.strerror or error}") from error
    return OK


def run_validate(options: argparse.Namespace, console: Console) -> int:
    """`gateway validate FILE`: no database, and no complaint about variables that only the workers have."""
    raw = read_document(options.file)
    checked = check_document(
        raw,
        env=os.environ,
        require_env=False,
        api_prefix=settings.CONFIG.api_prefix,
        jwt_algorithm=settings.CONFIG.jwt_algorithm,
    )
    if options.as_json:
        console.data(
            {
                "valid": not checked.problems,
                "empty": _is_empty(raw),
                "problems": [problem.as_json() for problem in checked.problems],
                "warnings": [warning.as_json() for warning in checked.warnings],
            }
        )
    else:
        console.problems(checked.warnings, kind="warning: ")
        console.problems(checked.problems)
        valid = "valid, but empty: the document names nothing" if _is_empty(raw) else "valid"
        console.say("" if checked.problems else valid)
    return REFUSED if checked.problems else OK


def _is_empty(raw: Any) -> bool:
    """Whether a document has nothing beside its version: a file that was cut off, or the wrong one, looks like that."""
    return isinstance(raw, dict) and not any(value for key, value in raw.items() if key != "version")


def run_schema(_options: argparse.Namespace, console: Console) -> int:
    """`gateway schema`."""
    console.data(json_schema())
    return OK


def _add_owner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--managed-by",
        default="",
        metavar="NAME",
        help="whose document it is: what it names gets this mark, and --prune removes only what has it",
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="with --managed-by: also change what others made, and mark it",
    )


def _owner(options: argparse.Namespace) -> dict[str, Any]:
    if options.take_over and not options.managed_by:
        raise CommandRefused("--take-over goes with --managed-by")
    return {"managed_by": options.managed_by, "take_over": options.take_over}


def _rows() -> Any:
    with reading():
        return canonicalise(read_rows())


def _revision(number: int) -> Any:
    with reading():
        text = Revision.objects.filter(number=number).values_list("document", flat=True).first()
    if text is None:
        raise CommandRefused(f"there is no revision {number}")
    return orjson.loads(text)


def _list_pruned(outcome: Outcome, console: Console) -> None:
    for what in outcome.pruned:
        console.say(f"will be removed: {what}")


def _show(outcome: Outcome, console: Console, *, as_json: bool) -> None:
    if as_json:
        console.data(describe(outcome))
        return
    console.problems(outcome.warnings, kind="warning: ")
    show_changes(outcome, console)


def show_changes(outcome: Outcome, console: Console) -> None:
    """What changed, if anything, and what was done about it."""
    if outcome.changes:
        console.say(outcome.changes.render())
    console.say(sentence(outcome))


def describe(outcome: Outcome) -> dict[str, Any]:
    """An outcome for `--json`."""
    return {
        "outcome": outcome.kind,
        "revision": outcome.revision,
        "changes": outcome.changes.as_json(),
        "pruned": list(outcome.pruned),
        "warnings": [warning.as_json() for warning in outcome.warnings],
    }


def sentence(outcome: Outcome) -> str:
    """An outcome in a few words."""
    return {
        "unchanged": "nothing to do",
        "published": f"published revision {outcome.revision}",
        "drafted": "left as a draft: publish it with `gateway publish`",
        "previewed": "not applied (dry run)" if outcome.changes else "nothing to do",
        "discarded": f"discarded the draft: the rows are revision {outcome.revision or 0} again",
    }[outcome.kind]
