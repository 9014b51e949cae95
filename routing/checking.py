"""D: Whether a document may become the configuration, by the settings and the environment of this process."""

import os
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from routing.document.canonical import canonicalise
from routing.problems import ConfigurationInvalid, Problem
from routing.soundness import Sound
from routing.storable import storable_problems
from routing.validation import check_document

Document = Mapping[str, Any]
EMPTY: Final[Document] = {"version": 1}
_sound = [Sound()]
"""What this process has checked. It is only ever replaced: of two threads one may forget what the other has learned."""


def validated(raw: Any, known: Document = EMPTY) -> tuple[Document, tuple[Problem, ...]]:
    """The canonical document and its warnings; raises ConfigurationInvalid with every problem.

    `known` is canonical and stored; what is equal in both is taken from it.
    """
    sound, rules = _sound[0], _rules()
    checked = check_document(
        raw,
        env=os.environ,
        api_prefix=settings.CONFIG.api_prefix,
        jwt_algorithm=settings.CONFIG.jwt_algorithm,
        unchanged=sound.unchanged(known, raw, rules) if isinstance(raw, Mapping) else frozenset(),
    )
    problems = checked.problems or storable_problems(raw, stored=known)
    if problems:
        raise ConfigurationInvalid(problems)
    target = canonicalise(raw, known=known)
    _sound[0] = sound.learned(target, checked.noticed, rules)
    return target, checked.warnings


def _rules() -> bytes:
    """What entries are checked by in this process."""
    config = settings.CONFIG
    around = repr((config.api_prefix, config.jwt_algorithm, sorted(os.environ.items())))
    return around.encode(errors="surrogateescape")
