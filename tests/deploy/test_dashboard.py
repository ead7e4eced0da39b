"""The dashboard keeps the rules that provisioned dashboards live by."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from tests.deploy.queries import (
    Query,
    annotation_queries,
    load_dashboard,
    panel_queries,
    panels,
)


def test_it_can_be_provisioned() -> None:
    """It keeps its address, has no database id, and is not edited in place."""
    dashboard = load_dashboard()

    assert dashboard["uid"] == "nats-idle-exporter"
    assert dashboard["id"] is None
    assert dashboard["editable"] is False
    assert dashboard["schemaVersion"] == 39
    assert "nats" in dashboard["tags"]
    assert "__inputs" not in dashboard


def test_it_has_the_usual_variables() -> None:
    """Data source, job, instance and system can be chosen, and all at once."""
    variables = {v["name"]: v for v in load_dashboard()["templating"]["list"]}
    data_source = variables.pop("datasource")

    assert (data_source["type"], data_source["label"]) == ("datasource", "Data Source")
    assert list(variables) == ["job", "instance", "system"]
    for variable in variables.values():
        assert variable["multi"]
        assert variable["allValue"] == ".+"
        assert variable["refresh"] == 2, "not updated when the time range changes"


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_explains_itself(panel: dict[str, Any]) -> None:
    """A panel has a title, a description that is a sentence, and a unit."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_uses_the_chosen_data_source(panel: dict[str, Any]) -> None:
    """A panel and its queries ask the data source that the reader chose."""
    for part in (panel, *panel["targets"]):
        assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize(
    "query", [*panel_queries(), *annotation_queries()], ids=lambda query: query.where
)
def test_every_series_is_narrowed_to_the_choice(query: Query) -> None:
    """Each selector names job and instance, and rates use Grafana's interval."""
    selectors = query.expr.count("{")

    assert selectors
    assert query.expr.count('{job=~"$job", instance=~"$instance"') == selectors
    assert query.expr.count("[") == query.expr.count("[$__rate_interval]")


def test_panels_have_places_of_their_own() -> None:
    """Ids are unique and no two panels cover each other."""
    everything = load_dashboard()["panels"]
    ids = [panel["id"] for panel in everything]

    assert len(set(ids)) == len(ids)
    for one, other in combinations([p["gridPos"] for p in everything], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        ), (one, other)
