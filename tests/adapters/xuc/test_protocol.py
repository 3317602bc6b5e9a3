"""XiVO's documented messages, frame by frame, in both directions, on a service with the PBX double."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.adapters.xuc.assistants import ALICE, NAMES, PASSWORDS, Installation, Tab, installation
from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryDirectory, PlacedCall
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.events import CallChanged
from unique_account.core.forwarding import Forward
from unique_account.core.history import MAX_SIZE
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.ports.directory import Colleague

AT_FIRST = [
    "LoggedOn",
    "UserConfigUpdate",
    "IceConfig",
    "Tabs",
    "UniqueAccount",
    "PhoneStatusUpdate",
    "CurrentCallsPhoneEvents",
    "Tabs",
    "LineConfig",
    "SipLine",
]
"""What a tab gets that asks for the line."""

HISTORY = {
    "start", "duration", "srcNum", "dstNum", "srcFirstName", "srcLastName", "dstFirstName", "dstLastName",
    "srcUsername", "dstUsername", "srcPhoneStatus", "dstPhoneStatus", "srcVideoStatus", "dstVideoStatus",
    "status",
}  # fmt: skip
"""The fields of an entry of ``CallHistory``, as documented."""


async def on_webrtc(at: Installation) -> Tab:
    """Alice logs in, and her browser registers."""
    tab = await at.browser.tab("alice")
    await at.pbx.register(ALICE.webrtc)
    await tab.until(lambda: tab.last("UniqueAccount")["deviceInUse"] == "webrtc")
    return tab


def _selected(tab: Tab, device: str) -> bool:
    return bool(tab.last("UniqueAccount")["selection"] == device)


def _reported(tab: Tab, kind: str, content: object) -> bool:
    return bool(tab.last(kind) == content)


def _rings(tab: Tab, caller: str) -> bool:
    return caller in [event["otherDN"] for event in tab.reported("PhoneEvent")]


class Unnamed(MemoryDirectory):
    """A directory that hangs at one number, and fails at another."""

    def __init__(self) -> None:
        super().__init__(PASSWORDS, NAMES, {"1001": "alice", "1002": "bob"})

    async def may_see(self, user: str, number: str) -> bool:
        if number == "1002":
            await asyncio.Event().wait()
        if number == "1003":
            raise ConnectionError("no directory")
        return True


async def talking(at: Installation, caller: str = "1002") -> PlacedCall:
    """Somebody calls Alice, and she picks up."""
    call = await at.pbx.call("1001", caller=caller)
    await at.pbx.pick_up(call)
    return call


class TestLoggingOn:
    """S3: who connects sees everything, in this order."""

    @in_loop
    async def test_everything_is_shown_in_order(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            assert [frame["msgType"] for frame in tab.frames][: len(AT_FIRST)] == AT_FIRST
            assert tab.last("LoggedOn") == {}
            assert tab.last("UserConfigUpdate") == {
                "userId": "alice", "fullName": "Alice Martin", "mobileNumber": None,
                "voiceMailId": "1001@default", "voiceMailEnabled": True,
                "naFwdEnabled": False, "naFwdDestination": "",
                "uncFwdEnabled": False, "uncFwdDestination": "",
                "busyFwdEnabled": False, "busyFwdDestination": "", "dndEnabled": False,
            }  # fmt: skip
            assert tab.last("LineConfig") == {
                "id": "alice_w", "name": "alice_w", "password": "alice_w-secret", "xivoIp": "pbx.example.org",
                "sipProxyName": "default", "sipPort": 443, "webRtc": True, "hasDevice": False, "vendor": None,
            }  # fmt: skip
            assert tab.last("SipLine") == {
                "url": "wss://pbx.example.org/wssip", "uri": "sip:alice_w@pbx.example.org",
                "username": "alice_w", "password": "alice_w-secret", "realm": None, "expires": 60,
            }  # fmt: skip
            assert tab.last("IceConfig") == {}
            assert tab.last("CurrentCallsPhoneEvents") == {"events": []}

    @in_loop
    async def test_a_fallback_is_shown_with_its_reason(self) -> None:
        async with installation() as at:
            shown = (await at.browser.tab("alice")).last("UniqueAccount")
            assert (shown["selection"], shown["deviceInUse"], shown["fallback"]) == (
                "webrtc",
                "deskphone",
                True,
            )
            assert "R4" in [why["rule"] for why in shown["because"]]

    @in_loop
    async def test_a_heartbeat_is_answered(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.send({"claz": "ping"})
            await tab.until(lambda: {"claz": "ping"} in tab.frames)

    @in_loop
    async def test_a_user_without_an_account_is_turned_away(self) -> None:
        async with installation(ALICE) as at:
            tab = await at.browser.connect(await at.browser.log_in("bob"))
            assert await tab.closed() == 4005
            assert tab.frames == [{"msgType": "LoggedOnError", "ctiMessage": {"Error": "loggedOnFailed"}}]


class TestSelection:
    """S4, S6: a selection is saved, idempotent, and seen by every session at once."""

    @in_loop
    async def test_xivos_words_and_ours_select(self) -> None:
        async with installation() as at:
            one, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            for word, device in (("phone", "deskphone"), ("WebRTC", "webrtc"), ("Phone", "deskphone")):
                for _ in range(2):
                    (*_, done) = await one.command("toggleUniqueAccountDevice", deviceType=word)
                    assert done["msgType"] == "Done"
                assert at.alice.selection == device
                await other.until(partial(_selected, other, device))
            await one.command("selectDevice", device="webrtc")
            assert at.alice.selection is Device.WEBRTC

    @in_loop
    async def test_unknown_words_are_answered(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            word, sentence = await tab.error("toggleUniqueAccountDevice", deviceType="fax")
            assert (word, sentence.split(":")[0]) == ("invalidMessage", "deviceType")
            assert await tab.error("selectDevice") == ("invalidMessage", "device: is missing")
            assert tab.open


class TestForwarding:
    """R10, R13: do-not-disturb and forwards are set, shown to every session, or refused."""

    @in_loop
    async def test_each_is_set_and_shown(self) -> None:
        async with installation() as at:
            tab, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            await tab.command("dnd", state=True)
            await tab.command("uncFwd", state=True, destination="1002")
            await tab.command("naFwd", state=False, destination="3000")
            await tab.command("busyFwd", state=True, destination="3001")
            await tab.command("busyFwd", state=False)
            set_ = at.alice.forwarding
            assert (set_.do_not_disturb, set_.unconditional) == (True, Forward("1002"))
            assert (set_.no_answer, set_.busy) == (Forward("3000", False), Forward("3001", False))
            await other.until(lambda: other.last("UserConfigUpdate")["busyFwdDestination"] == "3001")
            shown = other.last("UserConfigUpdate")
            assert {name: shown[name] for name in shown if name.endswith(("Enabled", "Destination"))} == {
                "voiceMailEnabled": True, "dndEnabled": True,
                "uncFwdEnabled": True, "uncFwdDestination": "1002",
                "naFwdEnabled": False, "naFwdDestination": "3000",
                "busyFwdEnabled": False, "busyFwdDestination": "3001",
            }  # fmt: skip

    @in_loop
    async def test_two_tabs_at_once_lose_nothing(self) -> None:
        async with installation() as at:
            tab, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            await tab.send({"claz": "web", "command": "dnd", "state": True})
            await other.command("uncFwd", state=True, destination="1002")
            await at.wait_until(lambda: at.alice.forwarding.do_not_disturb)
            assert at.alice.forwarding.unconditional == Forward("1002")

    @in_loop
    async def test_a_forward_to_oneself_is_refused(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            word, sentence = await tab.error("uncFwd", state=True, destination="1001")
            assert (word, "R13" in sentence) == ("refused", True)
            assert at.alice.forwarding.unconditional is None

    @in_loop
    async def test_a_forward_nowhere_is_wrong(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            assert (await tab.error("naFwd", state=True))[0] == "invalidMessage"
            assert await tab.error("dnd", state="on") == ("invalidMessage", "state: is not true or false")


class TestCalls:
    """C1: with the deskphone in use, its calls are shown, and commanded."""

    @in_loop
    async def test_a_call_is_shown_from_ringing_to_its_end(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            call = await at.pbx.call("1001", caller="1002")
            await tab.command("answer")
            await tab.command("hold")
            await tab.command("hold")
            await tab.command("hangup")
            assert call.over
            events = tab.reported("PhoneEvent")
            assert [event["eventType"] for event in events] == [
                "EventRinging", "EventEstablished", "EventOnHold", "EventEstablished", "EventReleased",
            ]  # fmt: skip
            assert events[0] == {
                "eventType": "EventRinging", "DN": "1001", "otherDN": "1002", "otherDName": "Bob Durand",
                "linkedId": call.id, "uniqueId": events[0]["uniqueId"], "callDirection": "Incoming",
                "userData": {},
            }  # fmt: skip
            assert {event["uniqueId"] for event in events} == {events[0]["uniqueId"]}

    @in_loop
    async def test_a_party_whom_the_call_does_not_name_has_the_name_of_the_directory(self) -> None:
        async with installation() as at:
            await at.pbx.call("1001", caller="1002")
            tab = await at.browser.tab("alice")
            (event,) = tab.last("CurrentCallsPhoneEvents")["events"]
            assert event["otherDName"] == "Bob Durand"
            await at.pbx.call("1001", caller="666")
            await tab.until(lambda: tab.reported("PhoneEvent"))
            assert tab.last("PhoneEvent")["otherDName"] == ""

    @in_loop
    async def test_a_directory_that_hangs_or_fails_keeps_no_call_from_being_shown(self) -> None:
        async with installation(directory=Unnamed()) as at:
            tab = await at.browser.tab("alice")
            for caller in ("1002", "1003"):
                await at.pbx.call("1001", caller=caller)
                await tab.until(partial(_rings, tab, caller))

    @in_loop
    async def test_the_deskphone_dials(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.command("dial", destination="1002", variables={})
            await at.pbx.pick_up(at.pbx.calls[0])
            await tab.until(
                lambda: "EventDialing" in [event["eventType"] for event in tab.reported("PhoneEvent")]
            )
            assert tab.reported("WebRTCCmd") == []

    @in_loop
    async def test_live_calls_are_sent_on_request(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await talking(at)
            (event,) = (await tab.ask("CurrentCallsPhoneEvents", "getCurrentCallsPhoneEvents"))["events"]
            assert (event["eventType"], event["otherDN"]) == ("EventEstablished", "1002")

    @in_loop
    async def test_a_call_is_transferred(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            call = await talking(at, "3000")
            await tab.command("directTransfer", destination="1002")
            assert (call.number, call.rings, at.alice.calls) == ("1002", Device.DESKPHONE, ())

    @in_loop
    async def test_a_transfer_is_prepared_and_completed(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            first = await talking(at, "3000")
            await tab.command("attendedTransfer", destination="1002", device=None)
            second = at.pbx.calls[-1]
            assert (await tab.error("completeTransfer"))[0] == "commandFailed"  # it rings still
            await at.pbx.pick_up(second)
            await at.pbx.pick_up(second)
            *_, done = await tab.command("completeTransfer")
            assert (done["msgType"], at.alice.calls) == ("Done", ())
            assert [first.over, second.over] == [False, False]

    @in_loop
    async def test_a_transfer_is_cancelled(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            first = await talking(at, "3000")
            await tab.command("attendedTransfer", destination="1002")
            second = at.pbx.calls[-1]
            await at.pbx.pick_up(second)
            await at.pbx.pick_up(second)
            await tab.command("cancelTransfer")
            (call,) = at.alice.calls
            assert (second.over, first.over, call.status) == (True, False, "talking")

    @in_loop
    async def test_a_transfer_that_cannot_be_dialled_takes_the_call_back(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await talking(at, "3000")
            assert (await tab.error("attendedTransfer", destination="1002&1003"))[0] == "commandFailed"
            (call,) = at.alice.calls
            assert call.status == "talking"

    @in_loop
    async def test_what_a_deskphone_cannot_is_refused_with_the_reason(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await talking(at)
            for command, fields in (("sendDtmf", {"key": "5"}), ("toggleMicrophone", {})):
                word, sentence = await tab.error(command, **fields)
                assert (word, "own key" in sentence) == ("commandFailed", True)

    @in_loop
    async def test_nobody_touches_the_calls_of_others(self) -> None:
        async with installation() as at:
            bob = await at.browser.tab("bob")
            await talking(at, "3000")
            alices = at.alice.calls[0].id
            for command in ("answer", "hangup", "hold", "toggleMicrophone"):
                for call in (alices, "1767600000.99"):
                    assert await bob.error(command, uniqueId=call) == ("noSuchCall", "there is no such call")
            assert at.alice.calls[0].status == "talking"
            assert bob.reported("PhoneEvent") == []

    @in_loop
    async def test_a_command_without_its_call_is_answered(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for command in ("answer", "hangup", "hold", "completeTransfer", "cancelTransfer"):
                assert (await tab.error(command))[0] == "commandFailed"


class TestTheBrowsersCalls:
    """C2: with WebRTC in use the commands go to the browser's own stack."""

    @in_loop
    async def test_the_browser_dials_and_answers_by_itself(self) -> None:
        async with installation() as at:
            tab, other = await on_webrtc(at), await at.browser.tab("alice")
            dial = await tab.ask("WebRTCCmd", "dial", destination="1002", variables=None)
            assert dial == {"command": "Dial", "destination": "1002"}
            await at.pbx.call("1001", caller="1002")
            (call,) = at.alice.calls
            answer = await tab.ask("WebRTCCmd", "answer", uniqueId=call.id)
            assert answer == {"command": "Answer", "sipCallId": call.sip_call_id, "uniqueId": call.id}
            await other.command("getIceConfig")
            assert other.reported("WebRTCCmd") == []

    @in_loop
    async def test_any_tab_commands_the_tab_that_has_the_call(self) -> None:
        async with installation() as at:
            tab, other = await on_webrtc(at), await at.browser.tab("alice")
            await at.pbx.pick_up(await at.pbx.call("1001", caller="1002"))
            for command, fields, reported in (
                ("hold", {}, "Hold"),
                ("toggleMicrophone", {}, "ToggleMicrophone"),
                ("sendDtmf", {"key": "#"}, "SendDtmf"),
            ):
                said = await other.ask("WebRTCCmd", command, **fields)
                assert (said["command"], said.get("key")) == (reported, fields.get("key"))
                await tab.until(partial(_reported, tab, "WebRTCCmd", said))

    @in_loop
    async def test_the_pbx_ends_its_calls(self) -> None:
        async with installation() as at:
            tab = await on_webrtc(at)
            call = await at.pbx.call("1001", caller="1002")
            await tab.command("hangup")
            assert call.over

    @in_loop
    async def test_no_other_key_is_a_tone(self) -> None:
        async with installation() as at:
            tab = await on_webrtc(at)
            assert (await tab.error("sendDtmf", key="12"))[0] == "invalidMessage"


class TestPresence:
    """P5: the presence of visible numbers is sent as its integer."""

    @in_loop
    async def test_ones_own_and_a_colleagues(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("bob")
            hint = await tab.ask(
                "PhoneHintStatusEvent", "subscribeToPhoneHints", phoneNumbers=["1001", "666"]
            )
            assert hint == {"number": "666", "status": -2}
            call = await at.pbx.call("1001", caller="1002", interface="PJSIP/bob")
            await tab.until(lambda: tab.last("PhoneHintStatusEvent") == {"number": "1001", "status": 8})
            await at.pbx.pick_up(call)
            await tab.until(lambda: tab.last("PhoneHintStatusEvent") == {"number": "1001", "status": 1})
            hints = [
                said["status"] for said in tab.reported("PhoneHintStatusEvent") if said["number"] == "1001"
            ]
            assert hints == [0, 8, 1]
            await tab.until(lambda: tab.last("PhoneStatusUpdate") == {"status": 1})

    @in_loop
    async def test_unsubscribing_ends_it(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("bob")
            await tab.command("subscribeToPhoneHints", phoneNumbers=["1001"])
            await tab.command("unsubscribeFromAllPhoneHints")
            before = len(tab.reported("PhoneHintStatusEvent"))
            await at.pbx.call("1001", caller="3000")
            await tab.command("getIceConfig")
            assert len(tab.reported("PhoneHintStatusEvent")) == before

    @in_loop
    async def test_colleagues_are_found(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            bob = {
                "number": "1002",
                "name": "Bob Durand",
                "status": 0,
                "doNotDisturb": False,
                "forwarded": False,
            }
            assert await tab.ask("Colleagues", "getColleagues") == {"entries": [bob], "words": ""}
            nobody = await tab.ask("Colleagues", "getColleagues", words="zoe", size=5)
            assert nobody == {"entries": [], "words": "zoe"}


class Discreet(MemoryDirectory):
    """A directory in which nobody sees Carol."""

    def __init__(self) -> None:
        super().__init__(PASSWORDS, {**NAMES, "1003": "Carol Petit"}, {"1001": "alice", "1002": "bob"})

    async def may_see(self, user: str, number: str) -> bool:
        return number != "1003" and await super().may_see(user, number)

    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        found = await super().colleagues(user, words, limit)
        return [each for each in found if await self.may_see(user, each.number)]


class TestHidden:
    """P5: of those whom a user may not see, the user is shown what the call showed, and no more."""

    async def all_answers(self, tab: Tab) -> str:
        """Everything that a tab is shown, after every question that could name somebody."""
        for command, fields in (
            ("getUserCallHistory", {"size": 10}),
            ("getUserCallHistory", {}),
            ("getUserCallHistoryByDays", {"days": 10}),
            ("getHistoryPage", {}),
            ("getColleagues", {}),
            ("getColleagues", {"words": "petit"}),
            ("getCurrentCallsPhoneEvents", {}),
            ("subscribeToPhoneHints", {"phoneNumbers": ["1002", "1003"]}),
        ):
            *_, answer = await tab.command(command, **fields)
            assert answer["msgType"] == "Done"
        return json.dumps(tab.frames, ensure_ascii=False)

    @in_loop
    async def test_nothing_names_a_number_that_is_not_visible(self) -> None:
        async with installation(directory=Discreet()) as at:
            tab = await at.browser.tab("alice")
            await at.cti.publish("1003", Presence.BUSY)
            for caller in ("1002", "1003"):
                await at.pbx.end(await talking(at, caller))
            await talking(at, "1003")
            shown = await self.all_answers(tab)
            assert "Bob" in shown
            assert "Petit" not in shown
            assert "Carol" not in shown
            assert tab.last("PhoneHintStatusEvent") == {"number": "1003", "status": -2}
            entry = (await tab.ask("CallHistory", "getUserCallHistory", size=1))[0]
            assert (entry["srcNum"], entry["srcFirstName"], entry["srcPhoneStatus"]) == ("1003", None, None)

    @in_loop
    async def test_what_the_call_showed_stays_shown(self) -> None:
        async with installation(directory=Discreet()) as at:
            tab = await at.browser.tab("alice")
            call = Call(
                id="1.1", device=Device.DESKPHONE, direction=Direction.INCOMING, status=CallStatus.TALKING,
                started=at.clock.now(), peer="1003", peer_name="The Board",
            )  # fmt: skip
            await at.service.handle("alice", CallChanged(call))
            entry = (await tab.ask("CallHistory", "getUserCallHistory", size=1))[0]
            assert (entry["srcFirstName"], entry["srcLastName"]) == ("The", "Board")
            (paged,) = (await tab.ask("HistoryPage", "getHistoryPage"))["entries"]
            assert paged["peerName"] == "The Board"


class TestHistory:
    """H1, H3, H5: one history, live, by count, by days and in pages."""

    async def called(self, at: Installation, times: int) -> None:
        for caller in range(times):
            await at.pbx.end(await at.pbx.call("1001", caller=f"300{caller}"))
            await at.advance(60)

    @in_loop
    async def test_an_entry_has_the_documented_fields(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            call = await talking(at)
            at_first = (await tab.ask("CallHistory", "getUserCallHistory", size=10))[0]
            await at.advance(3725)
            await at.pbx.end(call)
            (entry,) = await tab.ask("CallHistory", "getUserCallHistory", size=10)
            assert at_first["status"] == "ongoing"
            assert entry.keys() == HISTORY
            assert entry == {
                "start": f"{call.started:%Y-%m-%d %H:%M:%S}", "duration": "01:02:05",
                "srcNum": "1002", "dstNum": "1001", "srcFirstName": "Bob", "srcLastName": "Durand",
                "dstFirstName": "Alice", "dstLastName": "Martin", "srcUsername": "bob",
                "dstUsername": "alice", "srcPhoneStatus": 0, "dstPhoneStatus": 0,
                "srcVideoStatus": "Available", "dstVideoStatus": "Available", "status": "answered",
            }  # fmt: skip

    @in_loop
    async def test_an_outgoing_call_has_source_and_destination_swapped(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await at.pbx.end(await at.pbx.call("1002", caller="1001", interface="PJSIP/alice"))
            (entry,) = await tab.ask("CallHistory", "getUserCallHistory", size=10)
            assert (entry["srcNum"], entry["dstNum"], entry["status"]) == ("1001", "1002", "emitted")

    @in_loop
    async def test_by_count_and_by_days(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await self.called(at, 2)
            await at.advance(11 * 86400)
            await self.called(at, 1)

            async def peers(command: str, **fields: Any) -> list[str]:
                return [entry["srcNum"] for entry in await tab.ask("CallHistory", command, **fields)]

            assert await peers("getUserCallHistory", size=2) == ["3000", "3001"]
            assert await peers("getUserCallHistory", size=None) == ["3000"]
            assert await peers("getUserCallHistoryByDays", days=12) == ["3000", "3001", "3000"]
            assert await peers("getUserCallHistoryByDays", days=1) == ["3000"]

    @in_loop
    async def test_pages_follow_one_another_and_name_the_device(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await self.called(at, 3)
            first = await tab.ask("HistoryPage", "getHistoryPage", size=2)
            second = await tab.ask("HistoryPage", "getHistoryPage", size=2, cursor=first["next"])
            assert [entry["peer"] for entry in first["entries"] + second["entries"]] == [
                "3002",
                "3001",
                "3000",
            ]
            assert (second["next"], second["cursor"]) == (None, first["next"])
            assert {entry["device"] for entry in first["entries"]} == {"deskphone"}

    @in_loop
    async def test_what_cannot_be_asked_for_is_answered(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for command, fields in (
                ("getUserCallHistory", {"size": MAX_SIZE + 1}),
                ("getUserCallHistory", {"size": "many"}),
                ("getUserCallHistoryByDays", {"days": 0}),
                ("getHistoryPage", {"cursor": "AAAA"}),
                ("getHistoryPage", {"size": True}),
            ):
                assert (await tab.error(command, **fields))[0] == "invalidMessage"


class TestVoicemail:
    """V2: new messages are sent to every session."""

    @in_loop
    async def test_message_counts_are_sent(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await at.pbx.leave_messages("1001@default", 2, 1)
            await tab.until(lambda: tab.reported("VoiceMailStatusUpdate"))
            counts = {"voiceMailId": "1001@default", "newMessages": 2, "waitingMessages": 2, "oldMessages": 1}
            assert tab.last("VoiceMailStatusUpdate") == counts
            again = await at.browser.tab("alice")
            assert again.last("VoiceMailStatusUpdate") == counts
            assert again.last("UniqueAccount")["messages"] == {"new": 2, "old": 1}


class TestTheRest:
    """S4: what a session sets is sent to all sessions of the user, and stored."""

    @in_loop
    async def test_preferences(self) -> None:
        async with installation() as at:
            tab, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            said = {"key": "PREFERRED_DEVICE", "value": "WebApp", "value_type": "String"}
            await tab.command("setUserPreference", **said)
            await other.until(lambda: other.last("UserPreference") == said)
            await tab.command("userStatusUpdate", status="away")
            status = {"key": "userStatus", "value": "away", "value_type": "String"}
            await other.until(lambda: other.last("UserPreference") == status)
            answers = await tab.command("getUserPreferences")
            assert [answer["ctiMessage"] for answer in answers[:-1]] == [said, status]
            word, _ = await tab.error("setUserPreference", key="no key", value="", value_type="")
            assert word == "invalidMessage"

    @in_loop
    async def test_the_line_and_the_way_to_it(self) -> None:
        async with installation(stun=("stun:stun.example.org:3478",)) as at:
            tab = await at.browser.tab("alice")
            assert (await tab.ask("LineConfig", "getConfig", objectType="line"))["id"] == "alice_w"
            assert (await tab.error("getConfig", objectType="queue"))[0] == "invalidMessage"
            ice = await tab.ask("IceConfig", "getIceConfig")
            assert ice == {"stunConfig": {"urls": ["stun:stun.example.org:3478"]}}

    @in_loop
    async def test_an_unknown_command_is_answered_and_closes_nothing(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for command in ("getAgentStates", "", "logOut"):
                assert (await tab.error(command))[0] == "unknownCommand"
            assert tab.open
