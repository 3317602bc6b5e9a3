"""The documents are whole: they list every message that the server knows, and their examples are valid."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.xuc.schema import COMMANDS as ALLOWED
from tests.adapters.xuc.schema import EVENTS, FOLDER, load, messages
from unique_account.adapters.xuc.handlers.dispatch import COMMANDS
from unique_account.adapters.xuc.settings import DEVICE_TYPES

ORIGINS = {"documented", "observed", "ours"}
FILES = sorted(FOLDER.rglob("*.json"))


def origins(part: Any) -> list[str]:
    """Every mark of an origin within a document."""
    if isinstance(part, list):
        return [mark for each in part for mark in origins(each)]
    if not isinstance(part, dict):
        return []
    return [mark for key, each in part.items() for mark in ([each] if key == "x-origin" else origins(each))]


class TestDocument:
    """C1: the AsyncAPI document has every message, and says of each where it comes from."""

    def test_it_has_every_command(self) -> None:
        assert messages("commands").keys() == {*COMMANDS, "ping"}

    @pytest.mark.parametrize("channel", ["commands", "events"])
    def test_every_file_is_listed_under_its_name(self, channel: str) -> None:
        listed = messages(channel)
        assert {path.stem for path in (FOLDER / channel).iterdir()} == set(listed)
        assert {name: message["name"] for name, message in listed.items()} == {name: name for name in listed}

    @pytest.mark.parametrize("channel", ["commands", "events"])
    def test_every_message_says_what_it_is_and_whose(self, channel: str) -> None:
        for message in messages(channel).values():
            assert message["summary"]
            assert message["x-origin"] in ORIGINS

    @pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
    def test_no_origin_is_misspelt(self, file: Any) -> None:
        assert set(origins(load(file))) <= ORIGINS

    @pytest.mark.parametrize(("channel", "validators"), [("commands", ALLOWED), ("events", EVENTS)])
    def test_every_message_has_valid_examples(self, channel: str, validators: Any) -> None:
        for name, message in messages(channel).items():
            assert message["examples"]
            for example in message["examples"]:
                validators[name].validate(example["payload"])

    def test_device_types_are_those_of_the_settings(self) -> None:
        command = messages("commands")["toggleUniqueAccountDevice"]
        assert command["payload"]["properties"]["deviceType"]["enum"] == list(DEVICE_TYPES)
