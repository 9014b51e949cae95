"""The reference of the configuration: every key, with all that a reader needs."""

import re

import yaml

from routing.document.schema import json_schema
from scripts.docsite.configuration import Reference
from tests.support.source import ROOT

SCHEMA = json_schema()
DOCUMENTS = [yaml.safe_load(file.read_text()) for file in ROOT.glob("examples/*/gateway.yaml")]
REFERENCE = Reference(SCHEMA, DOCUMENTS)


def test_every_part_is_there() -> None:
    """Once, and each link leads to one."""
    text = REFERENCE.text()
    assert set(REFERENCE.places) == set(SCHEMA["$defs"])
    anchors = re.findall(r"\{ #([\w-]+)", text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= set(anchors)


def test_every_key_is_described() -> None:
    """In the schema itself, so that editors and admin show it, too."""
    assert [(part, name) for part, name, schema in REFERENCE.entries() if not schema.get("description")] == []


def test_every_key_has_an_example() -> None:
    """But those that hold a part with keys of its own, which are described there."""
    missing = [
        (part, name)
        for part, name, schema in REFERENCE.entries()
        if "$ref" not in str(schema) and not REFERENCE.example_of(part, name, schema)
    ]
    assert missing == []


def test_a_key_has_type_default_and_example() -> None:
    """In one entry."""
    text = REFERENCE.text()
    assert "`connect`{ #timeout--connect .key } — duration; default `2s`" in text
    assert "`url`{ #target--url .key } — URL (http, https or unix); **required**" in text
    assert "*Where:* `services[].timeout`" in text
