"""The attacks of the security page, a little of each, and that the page says what came of the whole."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

import jwt
import pytest
from attrs import evolve

from fuzz.attacks import kills as killing
from fuzz.attacks import table
from fuzz.attacks.events import events
from fuzz.attacks.scripts import PAYLOADS
from fuzz.attacks.table import ATTACKS, HEADING, PAGE, RESULTS
from fuzz.attacks.tokens import forged
from fuzz.target import Broken

LITTLE: Final = {"kills": 2, "frames": 400, "events": 300, "tokens": 12, "connects": 80}
"""How often each is tried here; `parsers` is what the fuzzers' own tests do, `scripts` needs the lab."""

GOOD: Final = jwt.encode(
    {"sub": "alice", "login": "alice", "sid": "x", "seal": "y", "began": 1.0, "exp": 2.0}, "k" * 32
)


class TestAttacks:
    """M4: an attacker gets nothing, and nobody else is harmed."""

    @pytest.mark.parametrize("name", LITTLE)
    def test_a_little_of_it_is_in_vain(self, name: str) -> None:
        came = asyncio.run(ATTACKS[name].made(LITTLE[name]))
        assert f"{LITTLE[name]:,} " in came

    def test_a_lost_change_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(killing, "change_of", lambda _: 0)
        with pytest.raises(Broken, match="a change was lost"):
            asyncio.run(ATTACKS["kills"].made(1))

    def test_an_account_that_is_not_shown_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def shows_nothing(*_: object) -> None:
            """A port that forgets."""

        monkeypatch.setattr("unique_account.adapters.memory.MemoryCti.show", shows_nothing)
        with pytest.raises((Broken, KeyError)):
            asyncio.run(events(20))

    def test_as_many_are_tried_as_there_are(self) -> None:
        assert len([*forged(GOOD)]) == ATTACKS["tokens"].attempts == 108
        assert len(set(PAYLOADS)) == ATTACKS["scripts"].attempts == 17

    def test_forged_tokens_are_others_than_the_real_one(self) -> None:
        assert GOOD not in forged(GOOD)
        assert len(set(forged(GOOD))) == 108


class TestPage:
    """M4: the page has the numbers that a run gave, and no others."""

    def test_it_has_what_came_of_the_last_run(self) -> None:
        results = json.loads(RESULTS.read_text("utf-8"))
        section = PAGE.read_text("utf-8").partition(HEADING)[2].partition("\n## ")[0]
        assert set(results) <= set(ATTACKS)
        assert table.table(results) in section

    def test_a_run_that_is_kept_is_written_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page, results = tmp_path / "page.md", tmp_path / "results.json"
        page.write_text(PAGE.read_text("utf-8"), "utf-8")
        monkeypatch.setattr(table, "PAGE", page)
        monkeypatch.setattr(table, "RESULTS", results)
        for came in ("one try", "another try"):
            table.keep({"tokens": came})
        assert "| `tokens` | another try |\n\n" in page.read_text("utf-8")
        assert "one try" not in page.read_text("utf-8")
        end = PAGE.read_text("utf-8").partition(HEADING)[2].partition("\n\nBeside")[2]
        assert page.read_text("utf-8").endswith(end)

    def test_harm_is_a_failure_and_not_kept(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(killing, "change_of", lambda _: 0)
        before = PAGE.read_bytes()
        monkeypatch.setattr(table, "ATTACKS", {"kills": evolve(ATTACKS["kills"], attempts=1)})
        assert table.main(["kills", "--keep"]) == 1
        assert "HARM" in capsys.readouterr().out
        assert PAGE.read_bytes() == before

    def test_an_unknown_attack_is_refused(self) -> None:
        with pytest.raises(SystemExit):
            table.main(["nobody"])
