"""The manager connection, against a scripted node over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from random import Random

import pytest

from tests.adapters.asterisk.ami.scripted_node import SECRET, ScriptedNode, refused, scripted_node
from tests.event_loop import in_loop
from unique_account.adapters.asterisk.ami import connection as module
from unique_account.adapters.asterisk.ami import login
from unique_account.adapters.asterisk.ami.codec import InvalidAction
from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.login import LONGEST_DELAY, ManagerLogin, connect, delays
from unique_account.adapters.asterisk.ami.message import Malformed, Message
from unique_account.ports.pbx import NodeDown


def connected(
    scenario: Callable[[ScriptedNode, Connection], Awaitable[None]],
) -> Callable[[], None]:
    """A test of one connection to a scripted node."""

    def run() -> None:
        async def in_time() -> None:
            async with (
                asyncio.timeout(60),
                scripted_node() as node,
                connect(node.login, "call") as connection,
            ):
                await scenario(node, connection)

        asyncio.run(in_time())

    run.__doc__ = scenario.__doc__
    return run


async def events(connection: Connection, number: int) -> list[Message | Malformed]:
    """The next few items of the stream."""
    found: list[Message | Malformed] = []
    async for item in connection.stream():
        found.append(item)
        if len(found) == number:
            break
    return found


# -- asking ------------------------------------------------------------------------------------------


@connected
async def test_a_closing_that_is_cancelled_closes_all_the_same(
    node: ScriptedNode, connection: Connection
) -> None:
    node.unanswered.add("Ping")
    asking = asyncio.create_task(connection.act("Ping"))
    await node.asked("Ping")
    closing = asyncio.create_task(connection.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    with pytest.raises(ConnectionError, match="the connection was closed"):
        await asking


@connected
async def test_an_action_gets_its_own_response(node: ScriptedNode, connection: Connection) -> None:
    """Pipelined actions get their own responses, in whatever order these come."""
    node.unanswered.add("Getvar")
    asking = [asyncio.create_task(connection.act("Getvar", ("Variable", name))) for name in "abc"]
    await node.asked("Getvar", 3)
    for action in reversed(node.given("Getvar")):
        node.report(f"Response: Success\r\nActionID: {action['ActionID']}\r\nValue: {action['Variable']}")
    assert [(await answer)["Value"] for answer in asking] == ["a", "b", "c"]


@connected
async def test_a_list_is_collected_and_leaves_events_in_the_stream(
    node: ScriptedNode, connection: Connection
) -> None:
    node.devices = {"PJSIP/alice": "INUSE", "PJSIP/bob": "NOT_INUSE"}
    node.report("Event: Hangup\r\nUniqueid: 1")
    items = await connection.collect("DeviceStateList")
    assert [item["Device"] for item in items] == ["PJSIP/alice", "PJSIP/bob"]
    assert [message.event for message in await events(connection, 2) if isinstance(message, Message)] == [
        "FullyBooted",
        "Hangup",
    ]


@connected
async def test_what_is_sent_is_answered_in_its_place_in_the_stream(
    node: ScriptedNode, connection: Connection
) -> None:
    await events(connection, 1)
    node.report("Event: Hangup\r\nUniqueid: 1")
    number = connection.send("Ping")
    first, second = await events(connection, 2)
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.event, second.get("Ping"), second["ActionID"]) == ("Hangup", "Pong", number)


@connected
async def test_a_refused_action_says_why(node: ScriptedNode, connection: Connection) -> None:
    node.replies["Originate"] = refused("Extension does not exist.")
    with pytest.raises(ActionRefused, match="Asterisk refuses Originate: Extension does not exist"):
        await connection.act("Originate")


@connected
async def test_an_event_cannot_pass_for_a_response(node: ScriptedNode, connection: Connection) -> None:
    """A user event may carry an action id; only what begins as a response is one."""
    node.unanswered.add("Getvar")
    asking = asyncio.create_task(connection.act("Getvar"))
    await node.asked("Getvar")
    number = node.given("Getvar")[0]["ActionID"]
    node.report(f"Event: UserEvent\r\nActionID: {number}\r\nResponse: Success\r\nValue: forged")
    node.report(f"Response: Success\r\nActionID: {number}\r\nValue: true")
    assert (await asking)["Value"] == "true"


@connected
async def test_an_action_that_is_not_answered_fails_in_time(
    node: ScriptedNode, connection: Connection
) -> None:
    node.unanswered.add("Getvar")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ANSWERS_WITHIN", 0.2)
        asking = asyncio.create_task(connection.act("Getvar"))
        await asyncio.sleep(0.1)
        node.report("Event: Hold")  # it is slow, but it lives
        with pytest.raises(ConnectionError, match="Getvar was not answered within") as failed:
            await asking
    assert not isinstance(failed.value, NodeDown)
    assert (await connection.act("Ping"))["Ping"] == "Pong"


@connected
async def test_a_node_that_answers_nothing_at_all_is_lost_with_the_first_action(
    node: ScriptedNode, connection: Connection
) -> None:
    """Who asks for more meanwhile is told no more than that the node is down."""
    node.unanswered |= {"Getvar", "Setvar"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ANSWERS_WITHIN", 0.1)
        asking = asyncio.create_task(connection.act("Getvar"))
        await asyncio.sleep(0.05)
        with pytest.raises(NodeDown):
            await connection.act("Setvar")
        with pytest.raises(NodeDown):
            await asking
    with pytest.raises(ConnectionError, match="Getvar was not answered within"):
        await events(connection, 100)


@in_loop
async def test_a_list_may_take_long_as_long_as_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWERS_WITHIN", 0.2)
    async with scripted_node() as node, connect(node.login) as connection:
        node.unanswered.add("DBGetTree")
        asking = asyncio.create_task(connection.collect("DBGetTree"))
        await node.asked("DBGetTree")
        number = f"ActionID: {node.given('DBGetTree')[0]['ActionID']}"
        node.report(f"Response: Success\r\n{number}\r\nEventList: start")
        for _ in range(6):
            await asyncio.sleep(0.08)
            node.report(f"Event: DBGetTreeResponse\r\n{number}")
        node.report(f"Event: DBGetTreeComplete\r\n{number}\r\nEventList: Complete")
        assert len(await asking) == 6


@connected
async def test_an_action_that_cannot_be_written_harms_nobody(
    node: ScriptedNode, connection: Connection
) -> None:
    with pytest.raises(InvalidAction):
        await connection.act("Setvar", ("Value", "x\r\nAction: Command"))
    assert (await connection.act("Ping"))["Ping"] == "Pong"
    assert not node.given("Setvar")


@connected
async def test_what_is_expected_is_found_and_stays_in_the_stream(
    node: ScriptedNode, connection: Connection
) -> None:
    await events(connection, 1)
    with connection.expecting(lambda message: message.get("Uniqueid") == "2") as expected:
        node.report("Event: Hangup\r\nUniqueid: 1", "Event: Hangup\r\nUniqueid: 2")
        assert (await expected)["Uniqueid"] == "2"
    assert len(await events(connection, 2)) == 2


# -- the stream --------------------------------------------------------------------------------------


@connected
async def test_messages_that_come_in_pieces_are_whole(node: ScriptedNode, connection: Connection) -> None:
    await events(connection, 1)
    for byte in b"Event: Hangup\r\nUniqueid: 1\r\n\r\nEvent: Hold\r\n\r\n":
        node.write(bytes([byte]))
        await asyncio.sleep(0)
    assert await events(connection, 2) == [Message("Event: Hangup\r\nUniqueid: 1"), Message("Event: Hold")]


@connected
async def test_an_event_without_an_end_keeps_its_neighbours_for_a_moment_only(
    node: ScriptedNode, connection: Connection
) -> None:
    await events(connection, 1)
    short = "Event: Newstate\r\nPrivilege: call,all\r\nChannel: PJSIP/x-1\r\nChannelState: 6"
    node.report(short, "Event: Hold")
    first, second = await events(connection, 2)
    assert isinstance(first, Malformed)
    assert first.of_strangers
    assert second == Message("Event: Hold")


@connected
async def test_nor_any_longer_on_a_stream_that_goes_on(node: ScriptedNode, connection: Connection) -> None:
    """What comes behind it does not begin the time anew."""
    await events(connection, 1)
    node.report("Event: Newstate\r\nPrivilege: call,all\r\nChannel: PJSIP/x-1\r\nChannelState: 6")
    reported = asyncio.create_task(events(connection, 2))
    for number in range(20):
        node.report(f"Event: Hold\r\nNumber: {number}")
        await asyncio.wait([reported], timeout=0.2)
        if reported.done():
            break
    assert number < 10
    await reported


@connected
async def test_garbage_is_told_in_its_place(node: ScriptedNode, connection: Connection) -> None:
    await events(connection, 1)
    node.write(b"\x00\xff garbage\r\n\r\nEvent: Hold\r\n\r\n")
    first, second = await events(connection, 2)
    assert isinstance(first, Malformed)
    assert second == Message("Event: Hold")


@connected
async def test_a_cut_connection_gives_what_came_and_fails_everybody(
    node: ScriptedNode, connection: Connection
) -> None:
    await events(connection, 1)
    node.unanswered.add("Getvar")
    asking = asyncio.create_task(connection.act("Getvar"))
    await node.asked("Getvar")
    node.report("Event: Hold")
    await connection.act("Ping")  # so that the event has come
    node.cut()
    with pytest.raises(ConnectionError):
        await asking
    assert await events(connection, 1) == [Message("Event: Hold")]
    with pytest.raises(ConnectionError):
        await events(connection, 1)
    with pytest.raises(ConnectionError):
        await connection.act("Ping")
    assert "lost" in repr(connection)


@in_loop
async def test_a_node_that_falls_silent_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_EVERY", 0.02)
    monkeypatch.setattr(module, "ANSWERS_WITHIN", 0.1)
    async with scripted_node() as node, connect(node.login) as connection:
        await node.asked("Ping", 2)
        node.unanswered.add("Ping")
        with pytest.raises(ConnectionError, match="Ping was not answered"):
            await events(connection, 100)


@in_loop
async def test_nothing_more_is_read_while_enough_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back pressure: the node has to wait too; but not while an action is unanswered."""
    monkeypatch.setattr(module, "ENOUGH_WAITING", 10)
    reported = 20_000
    async with scripted_node() as node, connect(node.login, "call") as connection:
        await events(connection, 1)
        node.report(*["Event: Hold\r\nPadding: " + "x" * 500] * reported)
        await asyncio.sleep(0.2)
        assert 10 <= len(connection._waiting) < 2000
        assert (await connection.act("Ping"))["Ping"] == "Pong"
        assert len(await events(connection, reported)) == reported


@in_loop
async def test_a_connection_with_too_much_waiting_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENOUGH_WAITING", 10)
    monkeypatch.setattr(module, "TOO_MUCH_WAITING", 100)
    async with scripted_node() as node, connect(node.login, "call") as connection:
        await events(connection, 1)
        node.unanswered.add("Getvar")
        asking = asyncio.create_task(connection.act("Getvar"))
        node.report(*["Event: Hold\r\nPadding: " + "x" * 500] * 1000)
        with pytest.raises(ConnectionError, match="messages wait to be handled"):
            await asking


# -- logging in --------------------------------------------------------------------------------------


@in_loop
async def test_a_wrong_secret_is_refused_and_told_to_nobody() -> None:
    async with scripted_node() as node:
        login = ManagerLogin(username="tester", secret="wrong-secret", port=node.login.port)
        assert "wrong-secret" not in repr(login)
        with pytest.raises(ConnectionError, match="Authentication failed; log-in as tester") as refusal:
            async with connect(login):
                pass
        assert "wrong-secret" not in repr(refusal.value)


@in_loop
async def test_the_secret_is_not_sent() -> None:
    async with scripted_node() as node, connect(node.login):
        assert SECRET not in "".join(action.text for action in node.actions)


@in_loop
async def test_a_node_that_does_not_listen_is_told_at_once() -> None:
    async with scripted_node() as node:
        login = node.login
        await node.stop()
        with pytest.raises(ConnectionError) as refusal:
            async with connect(login):
                pass
        assert isinstance(refusal.value.__cause__, ConnectionRefusedError)


@in_loop
async def test_a_node_that_does_not_answer_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "CONNECTS_WITHIN", 0.1)
    async with scripted_node() as node:
        node.unanswered.add("Challenge")
        with pytest.raises(ConnectionError, match="did not answer within"):
            async with connect(node.login):
                pass


def test_a_login_needs_a_port_that_there_is() -> None:
    with pytest.raises(ValueError, match="port"):
        ManagerLogin(username="tester", secret="", port=0)


def test_the_first_delay_is_none_and_the_others_grow_to_a_bound() -> None:
    first, *others = islice(delays(Random(1)), 30)
    assert first == 0
    assert all(0.25 <= delay <= LONGEST_DELAY for delay in others)
    assert min(others[-10:]) >= LONGEST_DELAY / 2
    assert others != list(islice(delays(Random(2)), 1, 30))
