"""P: The reference of environment variables, from `.env.example` and the table that the gateway reads them by."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway_project.variables import Variable

HEAD = """\
# Environment variables

Generated from [.env.example](../../.env.example) and the table that the gateway reads. Torana reads its environment,
not that file; an empty value counts as not set. Every problem is reported at once, before anything starts.
"""
_SECTION = re.compile(r"^# --- (.+?) -+$")
_ASSIGNED = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=(.*)$")


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that share a comment; values are what the file has behind the sign."""

    section: str
    comment: str
    variables: tuple[tuple[str, str], ...]


def groups(example: str) -> list[Group]:
    """The groups of an `.env.example`, in its order."""
    found: list[Group] = []
    section = ""
    for block in re.split(r"\n\s*\n", example):
        comment: list[str] = []
        named: list[tuple[str, str]] = []
        for line in block.splitlines():
            if heading := _SECTION.match(line):
                section = heading[1]
            elif assigned := _ASSIGNED.match(line):
                named.append((assigned[1], assigned[2]))
            else:
                if named:
                    found.append(Group(section, " ".join(comment), tuple(named)))
                    comment, named = [], []
                comment.append(line.removeprefix("#").strip())
        if named:
            found.append(Group(section, " ".join(comment), tuple(named)))
    return found


def text(example: str, table: Iterable[Variable]) -> str:
    """The page, in Markdown."""
    known = {row.names[0]: row for row in table}
    lines = [HEAD]
    section = ""
    for group in groups(example):
        if group.section != section:
            section = group.section
            lines += [f"## {section}", ""]
        for name, value in group.variables:
            lines += [f"`{name}`{{ #{name.lower()} .key }}{_facts(name, value, known)}"]
        lines += [f":   {_prose(group.comment)}", ""]
    return "\n".join(lines)


def _facts(name: str, value: str, known: Mapping[str, Variable]) -> str:
    facts = []
    if (row := known.get(name)) is not None:
        if row.default:
            facts.append(f"default `{row.default}`")
        facts += [f"in {where} `{default}`" for where, default in row.default_in.items()]
        if len(row.names) > 1:
            facts.append(f"also read: {', '.join(f'`{also}`' for also in row.names[1:])}")
    elif value:
        facts.append(f"such as `{value}`")
    return f" — {'; '.join(facts)}" if facts else ""


def _prose(comment: str) -> str:
    """Plain text as Markdown: what would be markup is code."""
    linked = re.sub(r"\bdocs/(\w+)\.md", r"[\1](../\1.md)", comment)
    return re.sub(r"(?<![\w`])([\w+.|-]+(?:\(s\))?://[^\s,;)]+|\S*…\S*)|(\*)", _as_it_is, linked)


def _as_it_is(found: re.Match[str]) -> str:
    return f"`{found[1]}`" if found[1] else r"\*"
