"""Every command and every event of XiVO's that the schema has: each is understood, and each is sent.

What a command does is in `test_protocol`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest

from tests.adapters.xuc.assistants import ALICE, Installation, installation
from tests.adapters.xuc.schema import messages
from tests.event_loop import in_loop
from unique_account.adapters.xuc import websocket

ENVELOPE: Final = {"claz", "command", "ref"}
XIVOS: Final = {name: found for name, found in messages("commands").items() if found["x-origin"] != "ours"}
"""XiVO's commands, and the heartbeat."""

DOCUMENTED: Final[dict[str, list[str]]] = {
    name: [field for field in command["payload"]["properties"] if field not in ENVELOPE]
    for name, command in XIVOS.items()
    if name != "ping"
}
"""XiVO's commands, and the fields of each."""

EVENTS: Final = {name for name, event in messages("events").items() if event["x-origin"] != "ours"}
"""XiVO's events."""


async def every_command(at: Installation) -> list[dict[str, Any]]:
    """Everything that a server says to a tab of Alice's in which she gives every documented command."""
    tab = await at.browser.tab("alice")
    await at.pbx.leave_messages("1001@default", 1, 0)
    asked: dict[str, dict[str, Any]] = {
        "setUserPreference": {"key": "a", "value": "b", "value_type": "String"},
        "getConfig": {"objectType": "line"}, "getIceConfig": {}, "dnd": {"state": False},
        **{name: {"state": False, "destination": "3000"} for name in ("uncFwd", "naFwd", "busyFwd")},
        "subscribeToPhoneHints": {"phoneNumbers": ["1002"]}, "unsubscribeFromAllPhoneHints": {},
        "userStatusUpdate": {"status": "away"}, "changeUserStatus": {"status": "here"},
        **{name: {"term": "bob"} for name in ("directoryLookUp", "searchContacts")},
        **{name: {"contactId": "1002", "source": "internal"} for name in ("addFavorite", "removeFavorite")},
        "getFavorites": {}, "displayNameLookup": {"username": "bob"},
        "toggleUniqueAccountDevice": {"deviceType": "phone"},
    }  # fmt: skip
    await tab.send(json.dumps({"claz": "web", "command": "pushLogToServer", "log": "x"}))  # it is thrown away
    for command, given in asked.items():
        await tab.command(command, **given)
    call = await at.pbx.call("1001", caller="3000")
    (mine,) = at.alice.calls
    for command in ("answer", "hold", "hold", "getCurrentCallsPhoneEvents"):
        await tab.command(command, **({"uniqueId": mine.id} if DOCUMENTED[command] else {}))
    for end in ("cancelTransfer", "completeTransfer"):
        await tab.command("attendedTransfer", destination="1002", device=None)
        for _ in range(2):
            await at.pbx.pick_up(at.pbx.calls[-1])
        await tab.command(end)
    assert not call.over
    await tab.command("toggleUniqueAccountDevice", deviceType="WebRTC")
    await at.pbx.register(ALICE.webrtc)
    await tab.command("dial", destination="1002", variables=None)
    await at.pbx.call("1001", caller="3001")
    (mine,) = at.alice.calls
    await tab.command("answer", uniqueId=mine.id)
    await at.pbx.pick_up(at.pbx.calls[-1])
    for command, given in (
        ("hold", {"uniqueId": mine.id}), ("toggleMicrophone", {"uniqueId": mine.id}),
        ("sendDtmf", {"key": "5"}), ("directTransfer", {"destination": "1002"}),
    ):  # fmt: skip
        await tab.command(command, **given)
    await at.pbx.call("1001", caller="3002")
    await tab.command("hangup", uniqueId=at.alice.calls[0].id)
    await tab.command("getUserCallHistory", size=None)
    await tab.command("getUserCallHistoryByDays", days=1)
    done = {frame["ctiMessage"]["command"] for frame in tab.frames if frame.get("msgType") == "Done"}
    assert done >= set(DOCUMENTED) - {"pushLogToServer"}
    assert tab.reported("Error") == []
    await tab.command("getAgentStates")
    return tab.frames


class TestEvents:
    """C1: every event of XiVO's is sent; a tab of the tests checks its fields (see `schema`)."""

    @in_loop
    async def test_are_all_sent(self) -> None:
        async with installation() as at:
            frames = await every_command(at)
            refused = await at.browser.connect("none")
            await refused.closed()
        assert {frame.get("msgType") for frame in [*frames, *refused.frames]} >= EVENTS

    @in_loop
    async def test_of_calls_have_all_kinds(self) -> None:
        async with installation() as at:
            frames = await every_command(at)
        events = [frame["ctiMessage"] for frame in frames if frame.get("msgType") == "PhoneEvent"]
        kinds = {"EventDialing", "EventRinging", "EventEstablished", "EventOnHold", "EventReleased"}
        assert {event["eventType"] for event in events} == kinds
        orders = [frame["ctiMessage"]["command"] for frame in frames if frame.get("msgType") == "WebRTCCmd"]
        assert orders == ["Dial", "Answer", "Hold", "ToggleMicrophone", "SendDtmf"]

    @in_loop
    async def test_of_a_history_have_all_statuses(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await at.pbx.end(await at.pbx.call("1001", caller="3000"))
            emitted = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
            await at.pbx.end(emitted)
            answered = await at.pbx.call("1001", caller="3001")
            await at.pbx.pick_up(answered)
            await at.pbx.end(answered)
            await at.pbx.call("1001", caller="3002")
            entries = await tab.ask("CallHistory", "getUserCallHistory", size=10)
            assert {entry["srcNum"]: entry["status"] for entry in entries} == {
                "3002": "ongoing", "3001": "answered", "1001": "emitted", "3000": "missed",
            }  # fmt: skip


class TestErrors:
    """M4: what is unknown or wrong is answered, and says what it is about."""

    @in_loop
    async def test_say_what_they_are_about(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.command("getAgentStates")
            assert tab.last("Error") == {
                "Error": "unknownCommand", "message": "command: 'getAgentStates' is not known here",
                "id": "invalid_message", "parameters": {},
                "command": "getAgentStates", "ref": tab.last("Error")["ref"],
            }  # fmt: skip
            await tab.send("rubbish")
            await tab.until(lambda: len(tab.reported("Error")) == 2)
            assert tab.last("Error") == {
                "Error": "invalidMessage", "message": "the frame is not JSON",
                "id": "invalid_message", "parameters": {},
            }  # fmt: skip
            assert tab.open

    @pytest.mark.parametrize("command", sorted(name for name, needed in DOCUMENTED.items() if needed))
    @in_loop
    async def test_are_given_for_fields_of_any_other_kind(self, command: str) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for name in set(DOCUMENTED[command]) - {"variables", "device"}:
                word, sentence = await tab.error(command, **{name: {"not": "this"}})
                assert (word, sentence.partition(":")[0] in DOCUMENTED[command]) == ("invalidMessage", True)
            assert tab.open

    @in_loop
    async def test_report_a_service_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(websocket, "ENTERS_WITHIN", 0.1)
        async with installation() as at:

            async def hangs(*_: object) -> None:
                await asyncio.sleep(60)

            at.service._store.save = hangs  # type: ignore[method-assign,assignment] # a store that hangs
            tab = await at.browser.connect(await at.browser.log_in("alice"))
            assert await tab.closed() == 1013
            assert tab.frames == [{"msgType": "LoggedOnError", "ctiMessage": {"Error": "loggedOnTimeout"}}]
