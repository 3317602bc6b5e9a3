"""What Prometheus and Grafana themselves say of the alerts and of the dashboard."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from lab.programs import promtool_file
from tests.paths import ROOT

pytestmark = pytest.mark.e2e

RULES: Final = ROOT / "deploy/prometheus/unique-account.rules.yml"
PAGE: Final = ROOT / "docs/monitoring.md"
DASHBOARD: Final = ROOT / "deploy/grafana/unique-account.json"


def promtool(*arguments: str) -> str:
    """What promtool prints; it fails the test if it finds something wrong."""
    ran = subprocess.run([str(promtool_file()), *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_prometheus_understands_the_alerts() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))


def test_prometheus_understands_the_configuration_of_the_page(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    named = "/etc/prometheus/unique-account.rules.yml"
    assert named in text
    (tmp_path / "prometheus.yml").write_text(text.replace(named, str(RULES)), "utf-8")
    assert "1 rule files found" in promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_they_fire_when_they_should(tmp_path: Path) -> None:
    text = (ROOT / "tests/deploy/alerts.test.yml").read_text("utf-8")
    (tmp_path / "alerts.test.yml").write_text(text.replace("- RULES", f"- {RULES}"), "utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "alerts.test.yml"))


def test_prometheus_understands_the_dashboard(tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    chosen = [one.replace("$__rate_interval", "1m").replace("$job", ".*") for one in expressions]
    records = [{"record": f"panel{index}", "expr": one} for index, one in enumerate(chosen)]
    rules = tmp_path / "dashboard.rules.yml"  # JSON is YAML, too
    rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}), "utf-8")
    assert f"SUCCESS: {len(records)} rules" in promtool("check", "rules", str(rules))


def test_grafana_reads_the_whole_dashboard() -> None:
    """Grafana's own kit has classes of all that it knows; what it did not know would be lost on the way."""
    kit = "grafana_foundation_sdk"
    import_module(f"{kit}.cog.plugins").register_default_plugins()
    encoder = import_module(f"{kit}.cog.encoder").JSONEncoder
    document = json.loads(DASHBOARD.read_text("utf-8"))
    dashboard = import_module(f"{kit}.models.dashboard").Dashboard.from_json(document)
    read = json.loads(json.dumps(dashboard, cls=encoder))
    assert _lost(document, read) == []


def _lost(written: object, read: object, place: str = "") -> list[str]:
    """Where what was written is not what was read."""
    if isinstance(written, dict) and isinstance(read, dict):
        missing = [f"{place}.{key} is not known" for key in written.keys() - read.keys()]
        same = written.keys() & read.keys()
        return missing + [lost for key in same for lost in _lost(written[key], read[key], f"{place}.{key}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        pairs = enumerate(zip(written, read, strict=True))
        return [lost for index, pair in pairs for lost in _lost(*pair, f"{place}[{index}]")]
    return [] if written == read else [f"{place}: {written!r} is written, {read!r} is read"]
