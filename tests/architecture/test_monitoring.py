"""What `deploy/` brings for Prometheus and Grafana, and the list of metrics in the documents, name what there is."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from observability.metrics.catalogue import FAMILIES, Family
from tests.support.source import ROOT

RULES = ROOT / "deploy" / "prometheus" / "torana.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "torana.json"
NAME = re.compile(r"\b((?:gateway|process|python_gc)_[a-z_]+)(?:\{([^}]*)\})?")
BY = re.compile(r"by \(([^)]*)\) \(")
OF_PROMETHEUS = {"instance", "job", "le"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def family_of(name: str) -> Family | None:
    """Of a sample's name."""
    return FAMILIES.get(name) or FAMILIES.get(re.sub(r"_(bucket|sum|count)$", "", name))


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_expressions_name_metrics_and_labels_that_exist(expression: str) -> None:
    """Buckets are of histograms, and rates of what is counted."""
    found = NAME.findall(expression)
    assert found
    labels = set(OF_PROMETHEUS)
    for name, selectors in found:
        family = family_of(name)
        assert family is not None, name
        assert (family.kind == "histogram") == name.endswith("_bucket")
        assert (family.kind != "gauge") == bool(re.search(rf"(rate|increase)\({name}\b", expression))
        selected = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selectors))
        assert selected <= {*family.labels, *OF_PROMETHEUS}
        labels |= set(family.labels)
    grouped = {label.strip() for group in BY.findall(expression) for label in group.split(",")}
    assert grouped <= labels
    assert expression.count("(") == expression.count(")")


def test_each_histogram_has_a_panel() -> None:
    """What took long is looked at over time, not by a single figure."""
    shown = {
        name
        for panel in panels()
        if panel["type"] == "timeseries"
        for target in panel["targets"]
        for name, _ in NAME.findall(target["expr"])
    }

    assert {f"{each.name}_bucket" for each in FAMILIES.values() if each.kind == "histogram"} <= shown


def test_alerts_say_what_is_wrong() -> None:
    """By a name of their own, with a severity and a sentence."""
    found = rules()

    assert len({rule["alert"] for rule in found}) == len(found) >= 10
    assert all(rule["labels"]["severity"] in ("warning", "critical") for rule in found)
    assert all(rule["annotations"]["summary"] for rule in found)


def test_panels_do_not_overlap() -> None:
    """And each has its number, a title and a source of data that is asked for."""
    found = panels()
    places = [
        (x, y)
        for panel in found
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in found}) == len({panel["title"] for panel in found}) == len(found)
    assert {panel["datasource"]["uid"] for panel in found} == {"${datasource}"}


def test_the_documents_list_every_metric() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE)

    assert [(name, kind, labels.strip(), said) for name, kind, labels, said in rows] == [
        (each.name, each.kind, ", ".join(each.labels), each.help) for each in FAMILIES.values()
    ]
