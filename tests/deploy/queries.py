"""Find the queries in the shipped rules and dashboard, and what they ask for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.support.monitoring_stack import DEPLOY, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

DASHBOARD = DEPLOY / "grafana" / "nats-idle-exporter.json"
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
_NOT_A_NAME = re.compile(
    r'"[^"]*"'  # text
    r"|\{[^}]*\}|\[[^]]*\]"  # matchers and ranges
    r"|\b(?:on|ignoring|group_left|group_right) \([^)]*\)"
    r"|\b\w+ ?(?:(?:by|without) \([^)]*\) ?)?\("  # functions and aggregations
)
_KEYWORDS = frozenset({"and", "or", "unless"})
_IDENTIFIER = re.compile(r"[a-zA-Z_:][\w:]*")


class Query(NamedTuple):
    """One expression and where it stands."""

    where: str
    expr: str


def load_dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it."""
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return dashboard


def load_rules() -> list[dict[str, Any]]:
    """Return every rule of the shipped file, in its order."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return the panels that show something."""
    return [panel for panel in load_dashboard()["panels"] if panel["type"] != "row"]


def panel_queries() -> Iterator[Query]:
    """Yield what each panel asks for."""
    for panel in panels():
        for target in panel["targets"]:
            yield Query(f"{panel['title']} {target['refId']}", target["expr"])


def annotation_queries() -> Iterator[Query]:
    """Yield what the marks in the panels ask for."""
    for annotation in load_dashboard()["annotations"]["list"]:
        if "expr" in annotation:
            yield Query(annotation["name"], annotation["expr"])


def variable_queries() -> Iterator[Query]:
    """Yield the choices of each variable, in words that Prometheus knows."""
    for variable in load_dashboard()["templating"]["list"]:
        if found := _LABEL_VALUES.fullmatch(variable.get("definition", "")):
            yield Query(variable["name"], f"group by ({found[2]}) ({found[1]})")


def rule_queries() -> Iterator[Query]:
    """Yield what each rule asks for."""
    for rule in load_rules():
        yield Query(rule.get("alert") or rule["record"], rule["expr"])


def metric_names(expr: str) -> set[str]:
    """Return the names of the series that an expression reads."""
    bare = _NOT_A_NAME.sub(" ", expr)
    return set(_IDENTIFIER.findall(bare)) - _KEYWORDS
