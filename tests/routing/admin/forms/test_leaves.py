"""Leaves: the schema as the inputs of a form."""

import pytest

from routing.admin.forms.leaves import Kind, Leaf, label, leaves
from routing.document.policies import QuotaSpec
from routing.document.routes import RouteSpec
from routing.document.schema import DefaultsSpec
from routing.document.services import ServiceSpec, TargetSpec

ROUTE = {leaf.name: leaf for leaf in leaves(RouteSpec)}
SERVICE = {leaf.name: leaf for leaf in leaves(ServiceSpec)}
QUOTA = {leaf.name: leaf for leaf in leaves(QuotaSpec)}


@pytest.mark.parametrize(
    ("leaf", "kind"),
    [
        (SERVICE["timeout__connect"], Kind.DURATION),
        (SERVICE["protocol"], Kind.CHOICE),
        (SERVICE["max_connections"], Kind.NUMBER),
        (SERVICE["tls__verify"], Kind.SWITCH),
        (SERVICE["tls__ca"], Kind.LONG_TEXT),
        (SERVICE["tls__sni"], Kind.TEXT),
        (SERVICE["hash_on"], Kind.STRUCTURE),
        (SERVICE["retries__on"], Kind.WORDS),
        (SERVICE["retries__methods"], Kind.STRUCTURE),
        (SERVICE["health__expect"], Kind.WORDS),
        (QUOTA["per"], Kind.DURATION),
        (QUOTA["key"], Kind.STRUCTURE),
        (ROUTE["fault__until"], Kind.TEXT),
        (ROUTE["match__hosts"], Kind.WORDS),
        (ROUTE["match__headers"], Kind.PAIRS),
        (ROUTE["limits__max_body"], Kind.SIZE),
        (ROUTE["rewrite__regex__pattern"], Kind.TEXT),
        (ROUTE["redirect__path__prefix"], Kind.TEXT),
        (ROUTE["response_headers__remove"], Kind.WORDS),
        (ROUTE["auth__scopes"], Kind.WORDS),
        (ROUTE["auth__roles"], Kind.LINES),
        (ROUTE["quotas"], Kind.STRUCTURE),
        (ROUTE["status_map"], Kind.PAIRS),
        (ROUTE["validate__body_schema"], Kind.STRUCTURE),
        (ROUTE["require_headers"], Kind.STRUCTURE),
    ],
    ids=lambda value: value.name if isinstance(value, Leaf) else value,
)
def test_kind_follows_from_the_schema(leaf: Leaf, kind: Kind) -> None:
    """Durations, lists, mappings and the rest are told apart by their types alone."""
    assert leaf.kind is kind


def test_nested_parts_are_walked_into_by_their_document_keys() -> None:
    """A key that Python cannot spell appears as the document spells it."""
    assert SERVICE["ejection__for"].path == ("ejection", "for")
    assert ROUTE["validate__upload__max_file"].path == ("validate", "upload", "max_file")


def test_choices_defaults_and_help_come_from_the_schema() -> None:
    """A form says what the document says."""
    status = ROUTE["redirect__status"]
    assert (status.choices, status.default, status.numeric) == (
        ("301", "302", "303", "307", "308"),
        "301",
        True,
    )
    assert SERVICE["timeout__read"].default == "30s"
    assert SERVICE["retries__backoff"].default == "25ms"
    assert (ROUTE["mirror__max_body"].default, ROUTE["transform__max_body"].default) == ("64KB", "1MB")
    assert ROUTE["enabled"].default == "yes"
    assert ROUTE["match__methods"].help == "Methods in capitals. HEAD is not implied by GET."


def test_pairs_know_what_their_values_may_be() -> None:
    """Conditions may be structures, statuses are numbers, headers are texts."""
    assert ROUTE["match__headers"].structured
    assert ROUTE["status_map"].numeric
    set_headers = ROUTE["request_headers__set"]
    assert (set_headers.structured, set_headers.numeric) == (False, False)


def test_what_a_part_cannot_do_without_is_required() -> None:
    """The replacement of a rewrite is, its pattern's neighbours are not."""
    assert ROUTE["rewrite__regex__to"].required
    assert not ROUTE["rewrite__host"].required


@pytest.mark.parametrize("spec", [ServiceSpec, RouteSpec, DefaultsSpec, TargetSpec])
def test_names_are_unique_and_fit_for_scripts(spec: type) -> None:
    """Every field has a name of its own, which is an identifier."""
    names = [leaf.name for leaf in leaves(spec)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("limits", "max_body"), "Limits max body"),
        (("tls", "ca"), "TLS CA"),
        (("cache", "ttl"), "Cache TTL"),
        (("websocket", "enabled"), "WebSocket enabled"),
        (("name",), "Name"),
    ],
)
def test_labels_are_words(path: tuple[str, ...], text: str) -> None:
    """Abbreviations keep their spelling."""
    assert label(path) == text


def test_parts_that_have_no_short_form_are_written_as_in_the_document() -> None:
    """They would not fit on a line each."""
    kinds = {leaf.name: leaf.kind for leaf in leaves(RouteSpec)}

    assert kinds["aggregate__parts"] is Kind.STRUCTURE
    assert kinds["match__headers"] is Kind.PAIRS
