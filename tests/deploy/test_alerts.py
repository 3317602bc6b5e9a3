"""The alerts for Prometheus: rules on metrics that are exported; what fires is tested with promtool."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from tests.deploy.exported import exported
from tests.deploy.promql import NotUnderstood, named
from tests.paths import ROOT

TEXT: Final = (ROOT / "deploy/prometheus/unique-account.rules.yml").read_text("utf-8")
RULES: Final[list[dict[str, Any]]] = [
    rule for group in yaml.safe_load(TEXT)["groups"] for rule in group["rules"]
]
PAGE: Final = (ROOT / "docs/monitoring.md").read_text("utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
class TestRules:
    def test_its_metrics_are_exported_with_these_labels(self, rule: dict[str, Any]) -> None:
        there, used = exported(), named(rule["expr"])
        assert used.metrics
        assert used.metrics <= there.keys()
        assert all(used.labels <= there[metric] for metric in used.metrics)

    def test_its_texts_name_labels_that_are_left(self, rule: dict[str, Any]) -> None:
        there, used = exported(), named(rule["expr"])
        grouped = re.search(r"\bby \(([\w, ]+)\)", rule["expr"])
        left = (
            set(grouped[1].split(", "))
            if grouped
            else set().union(*(there[metric] for metric in used.metrics))
        )
        texts = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", texts)) <= left

    def test_it_says_what_is_wrong_and_what_follows(self, rule: dict[str, Any]) -> None:
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in ("critical", "warning")

    def test_a_page_describes_it(self, rule: dict[str, Any]) -> None:
        assert f"| `{rule['alert']}` |" in PAGE


def test_names_are_their_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


class TestLanguage:
    """What the tests above understand of an expression."""

    def test_metrics_and_labels_are_told_apart(self) -> None:
        used = named('60 * sum by (port, name) (rate(failures_total{job=~"$job"}[5m])) / up > 0.1')
        assert used.metrics == {"failures_total", "up"}
        assert used.labels == {"port", "name", "job"}

    @pytest.mark.parametrize(
        "wrong", ["summ(up)", "sum(up", "sum(up))", "up{job=}'", "rate(up[5 minutes])", "up ? 1"]
    )
    def test_what_is_not_understood_is_an_error(self, wrong: str) -> None:
        with pytest.raises(NotUnderstood):
            named(wrong)
