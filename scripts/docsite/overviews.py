"""P: Pages that list others: examples and decisions."""

import re
from collections.abc import Mapping

EXAMPLES_HEAD = """\
# Example systems

`make example SYSTEM=NAME` starts one with its services on free ports, beside a gateway with a folder of its own under
`var/examples/`, and prints lines to try.
"""
DECISIONS_HEAD = """\
# Decisions

Why things are as they are, where there was an alternative worth rejecting.
"""


def examples(readmes: Mapping[str, str]) -> str:
    """A list of example systems; `readmes` by name."""
    items = [
        f"[{name}](examples/{name}.md) — {heading_of(text)}\n:   {first_sentence(text)}\n"
        for name, text in sorted(readmes.items())
    ]
    return "\n".join([EXAMPLES_HEAD, *items])


def decisions(records: Mapping[str, str]) -> str:
    """A list of records; `records` by file name."""
    return "\n".join(
        [DECISIONS_HEAD, *(f"- [{heading_of(text)}]({name})" for name, text in sorted(records.items()))]
    )


def heading_of(text: str) -> str:
    """The text of its first heading."""
    found = re.search(r"^# (.+)$", text, re.M)
    return found[1] if found else ""


def first_sentence(text: str) -> str:
    """Of its first paragraph."""
    paragraph = re.sub(r"\A(?:#.*\n+)*", "", text).split("\n\n")[0]
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
