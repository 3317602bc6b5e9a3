"""The container image: what can be said of its file without a builder."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final
from unittest.mock import ANY

from click.testing import CliRunner

from tests.paths import ROOT
from tests.serve.serve_process import ALICE, CONFIG, Serve, wait
from unique_account.cli import command

FOLDER: Final = ROOT / "deploy/container"
SCRIPT: Final = (ROOT / "scripts/image").read_text("utf-8")
HEALTH: Final = FOLDER / "health.py"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the file, each as its name and what follows."""
    text = re.sub(r"\\\n\s*", "", (FOLDER / "Containerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.split(" ", 1) for line in lines]
    return [(name, rest) for name, rest in pairs]


def of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


class TestFile:
    def test_every_instruction_is_one(self) -> None:
        known = {"ARG", "FROM", "COPY", "RUN", "USER", "WORKDIR", "VOLUME", "EXPOSE", "STOPSIGNAL"}
        assert {name for name, _ in instructions()} <= known | {"HEALTHCHECK", "ENTRYPOINT", "CMD"}

    def test_what_it_copies_is_there(self) -> None:
        sources = [copied.split()[0] for copied in of("COPY") if not copied.startswith("--from")]
        made = set(re.findall(r'context/(\w+)"? ', SCRIPT)) | set(
            re.findall(r"--wheel-dir \S+/(\w+)", SCRIPT)
        )
        assert [source for source in sources if not (FOLDER / source).exists() and source not in made] == []
        assert all(f"deploy/container/{file.name}" in SCRIPT for file in FOLDER.iterdir())

    def test_it_takes_from_stages_that_are_there(self) -> None:
        stages = {stage.split(" AS ")[1] for stage in of("FROM") if " AS " in stage}
        assert {
            re.findall(r"--from=(\w+)", copied)[0] for copied in of("COPY") if "--from" in copied
        } <= stages

    def test_it_runs_as_nobody_who_has_rights(self) -> None:
        (user,) = of("USER")
        assert all(int(number) >= 1000 for number in user.split(":"))
        after = [name for name, _ in instructions()][[name for name, _ in instructions()].index("USER") :]
        assert not {"RUN", "COPY"} & set(after)

    def test_it_names_no_registry(self) -> None:
        assert of("FROM") == ["${BASE} AS installed", "${BASE}"]
        assert of("ARG") == ["BASE=unique-account-base"]

    def test_it_installs_what_serve_may_need(self) -> None:
        (extras,) = {found for run in of("RUN") for found in re.findall(r"unique_account\[([\w,]+)\]", run)}
        assert set(extras.split(",")) == {"serve", "postgresql", "rabbitmq"}
        assert f"$wheel[{extras}]" in SCRIPT

    def test_it_starts_the_command(self) -> None:
        (program,), arguments = json.loads(of("ENTRYPOINT")[0]), json.loads(of("CMD")[0])
        assert program.endswith("/bin/unique-account")
        refused = CliRunner().invoke(command, arguments)
        assert refused.exit_code == 2
        assert arguments[-1] in refused.stderr

    def test_it_is_stopped_in_order(self) -> None:
        assert of("STOPSIGNAL") == ["SIGTERM"]


class TestHealthCheck:
    def test_it_asks_for_the_health_of_the_process(self) -> None:
        (check,) = of("HEALTHCHECK")
        words = json.loads(check.partition("CMD ")[2])
        assert words[1:] == ["/opt/unique-account/health.py", "http://127.0.0.1:9415/health"]
        assert f"COPY {HEALTH.name} {words[1]}" in (FOLDER / "Containerfile").read_text("utf-8")

    def test_it_succeeds_while_the_service_is_well(self, tmp_path: Path) -> None:
        (tmp_path / "users.toml").write_text(ALICE, "utf-8")
        (tmp_path / "unique_account.toml").write_text(CONFIG, "utf-8")
        serve = Serve(tmp_path)
        try:
            address = f"{serve.url}/health"
            well = _health(address)
            assert (well.returncode, json.loads(well.stdout)) == (
                0,
                {"status": "ok", "nodes": ANY, "store": "connected"},
            )
            lost = _health(f"{serve.url}/nowhere")
            assert (lost.returncode, lost.stderr) == (1, "404: Not Found\n")
        finally:
            serve.process.terminate()
            serve.ends()
        wait(lambda: _health(address).returncode == 1, "nobody answers")


def _health(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(HEALTH), address], capture_output=True, text=True, check=False)
