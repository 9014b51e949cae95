"""P: A Dockerfile as stages with their instructions; as much of its language as ours uses."""

import re
from dataclasses import dataclass, field


@dataclass
class Stage:
    """`base` names another stage, or an image."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all_of(self, word: str) -> list[str]:
        return [rest for each, rest in self.instructions if each == word]


def stages_of(text: str) -> list[Stage]:
    """In order; build arguments have their defaults."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.M))
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for line in filter(None, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = default
        elif word == "FROM":
            base, *named = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], rest).split(" AS ")
            found.append(Stage(named[0] if named else "", base))
        else:
            found[-1].instructions.append((word, rest))
    return found
