"""The dashboard for Grafana: a document that Grafana can load, on metrics that are exported."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, Final

import pytest

from tests.deploy.exported import exported
from tests.deploy.promql import named
from tests.paths import ROOT

DASHBOARD: Final[dict[str, Any]] = json.loads(
    (ROOT / "deploy/grafana/unique-account.json").read_text("utf-8")
)
PANELS: Final[list[dict[str, Any]]] = DASHBOARD["panels"]
SHOWING: Final = [panel for panel in PANELS if panel["type"] != "row"]
TARGETS: Final = [(panel["title"], target) for panel in SHOWING for target in panel["targets"]]
EXPRESSIONS: Final = sorted({target["expr"] for _, target in TARGETS})
VARIABLES: Final = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
OF_GRAFANA: Final = {"__rate_interval"}


class TestDocument:
    def test_it_is_of_a_schema_that_grafana_loads(self) -> None:
        assert DASHBOARD["schemaVersion"] == 39
        assert (DASHBOARD["title"], DASHBOARD["uid"]) == ("Unique Accounts", "unique-account")
        assert "id" not in DASHBOARD  # the database's; a document with one replaces another dashboard

    def test_panels_have_ids_and_titles_of_their_own(self) -> None:
        for key in ("id", "title"):
            values = [panel[key] for panel in PANELS]
            assert len(set(values)) == len(values)

    def test_each_panel_says_what_it_shows(self) -> None:
        assert [panel["title"] for panel in SHOWING if not panel["description"].endswith(".")] == []

    def test_panels_lie_side_by_side(self) -> None:
        places = [
            {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            for at in (panel["gridPos"] for panel in PANELS)
        ]
        assert sum(map(len, places)) == len(set().union(*places))
        assert max(x for place in places for x, _ in place) < 24
        rows = [panel["gridPos"]["y"] for panel in PANELS]
        assert all(one <= other for one, other in pairwise(rows))

    def test_its_variables_are_declared(self) -> None:
        used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(PANELS)))
        assert used <= VARIABLES | OF_GRAFANA

    def test_every_panel_asks_the_chosen_source(self) -> None:
        sources = [panel["datasource"] for panel in SHOWING] + [target["datasource"] for _, target in TARGETS]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)

    def test_queries_of_a_panel_have_letters_of_their_own(self) -> None:
        for panel in SHOWING:
            letters = [target["refId"] for target in panel["targets"]]
            assert len(set(letters)) == len(letters)


class TestExpressions:
    @pytest.mark.parametrize("expression", EXPRESSIONS)
    def test_its_metrics_are_exported_with_these_labels(self, expression: str) -> None:
        there, used = exported(), named(expression)
        assert used.metrics <= there.keys()
        assert all(used.labels <= there[metric] for metric in used.metrics)

    @pytest.mark.parametrize("expression", EXPRESSIONS)
    def test_a_counter_is_shown_as_a_rate(self, expression: str) -> None:
        totals = re.findall(r"\w+_total\b", expression)
        assert len(re.findall(r"(?:rate|increase)\(\w+_total\{", expression)) == len(totals)

    def test_legends_name_labels_that_are_left(self) -> None:
        there = exported()
        for title, target in TARGETS:
            used = named(target["expr"])
            grouped = re.search(r"\bby \(([\w, ]+)\)", target["expr"])
            left = (
                set(grouped[1].split(", "))
                if grouped
                else set().union(*(there[metric] for metric in used.metrics))
            )
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= left, title

    def test_every_metric_is_shown(self) -> None:
        shown = set().union(*(named(expression).metrics for expression in EXPRESSIONS))
        assert exported().keys() - shown == set()
