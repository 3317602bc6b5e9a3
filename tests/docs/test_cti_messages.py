"""The page on the CTI server's messages is made from the schema: it has every message, field and origin."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from docs._ext.cti_messages import PLACES, with_schema
from tests.adapters.xuc.schema import EVENTS, OPENAPI, messages
from tests.paths import ROOT

SOURCE: Final = (ROOT / "docs" / "xuc-messages.md").read_text("utf-8")
LOG_IN: Final = (ROOT / "docs" / "xuc.md").read_text("utf-8")
PAGE: Final = with_schema(SOURCE)


def section(event: str) -> str:
    """What the page says of an event."""
    return PAGE.partition(f"\n### `{event}`")[2].partition("\n### ")[0]


def row(command: str) -> str:
    """What the page says of a command."""
    (found,) = re.findall(rf"^\| `{command}`(?: \(.*?\))? \|.*$", PAGE, re.MULTILINE)
    return str(found)


class TestPage:
    """C1: what the page says of a message is what the schema says."""

    def test_the_source_names_no_message_itself(self) -> None:
        assert all((SOURCE + LOG_IN).count(place) == 1 for place in PLACES)
        assert not any(place in PAGE for place in PLACES)
        assert "\n### " not in SOURCE

    @pytest.mark.parametrize("command", messages("commands"))
    def test_every_command_has_its_fields(self, command: str) -> None:
        message = messages("commands")[command]
        own = message["payload"]["properties"].keys() - {"claz", "command", "ref"}
        fields = row(command).split(" | ")[2].removesuffix(" |")
        assert set(re.findall(r"(?:^|<br>)`(\w+)`:", fields)) == own
        assert f"{message['summary']}." in row(command)

    @pytest.mark.parametrize("event", messages("events"))
    def test_every_event_has_its_fields(self, event: str) -> None:
        message = messages("events")[event]
        content = message["payload"]["properties"].get("ctiMessage", {})
        rows = set(re.findall(r"^\| `([^`]+)` \|", section(event), re.MULTILINE))
        assert set(content.get("properties", {})) <= rows
        assert f"{message['summary'][1:]}." in section(event)

    @pytest.mark.parametrize("event", messages("events"))
    def test_every_event_is_shown_as_it_is_sent(self, event: str) -> None:
        blocks = re.findall(r"^```json\n(.*?)^```$", section(event), re.MULTILINE | re.DOTALL)
        shown: list[Any] = [json.loads(block) for block in blocks]
        assert shown == [example["payload"] for example in messages("events")[event]["examples"]]
        assert all(EVENTS[event].is_valid(payload) for payload in shown)

    def test_it_says_whose_each_message_is(self) -> None:
        assert row("dial").startswith("| `dial` | ")
        assert row("selectDevice").startswith("| `selectDevice` (**ours**) | ")
        assert section("Tabs").startswith(" (**ours**)\n")

    def test_every_error_of_a_request_is_there(self) -> None:
        statuses = {
            status
            for path in OPENAPI["paths"].values()
            for one in path.values()
            for status in one["responses"]
        }
        shown = re.findall(r"^\| (\d{3}) \| `\w+`", with_schema(LOG_IN), re.MULTILINE)
        assert shown == sorted(status for status in statuses if status >= "400")
