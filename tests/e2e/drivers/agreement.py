"""Whether PBX and accounts agree: every plan, and the state of every watched number, on every node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from attrs import evolve

from lab.ami import Ami
from lab.asterisk import Node
from lab.waiting import until
from unique_account.adapters.asterisk import plans
from unique_account.adapters.asterisk.translation.vocabulary import LINE_STATUSES
from unique_account.core.account import Account
from unique_account.core.events import ContactsChanged, LineChanged, apply, restore
from unique_account.core.machine import Device
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import plan
from unique_account.ports.accounts import Accounts


async def agree(store: Accounts, nodes: Mapping[str, Node]) -> None:
    """Wait until the nodes hold and show just what the stored accounts come to, as their lines are now.

    Args:
        store: Where the service keeps the accounts.
        nodes: The nodes, by the names that users name them by.
    """
    found: list[str] = []

    async def same() -> bool:
        found[:] = [difference async for difference in _differences(store, nodes)]
        return not found

    try:
        await until(same, "that PBX and accounts agree")
    except TimeoutError as error:
        raise AssertionError("; ".join(found)) from error


async def held(ami: Ami) -> list[tuple[str, str, str]]:
    """What a node's AstDB holds of plans."""
    answer = await ami.act("DBGetTree", ("Family", "unique_account"))
    if answer.get("Response") != "Success":
        return []
    number = answer["ActionID"]
    await ami.event("DBGetTreeComplete", ActionID=number)
    rows = [m for m in ami.messages if m.event == "DBGetTreeResponse" and m["ActionID"] == number]
    return [("unique_account", row["Key"].removeprefix("/unique_account/"), row["Val"]) for row in rows]


async def _differences(store: Accounts, nodes: Mapping[str, Node]) -> AsyncIterator[str]:
    accounts = [restore(*stored) async for stored in store.all()]
    for name, node in nodes.items():
        due = {account.user.id: plan(account) for account in accounts if account.user.media_server == name}
        installed = plans(await held(node.ami))
        for user in due.keys() | installed.keys():
            if user not in due or user not in installed:
                yield f"{name}: the plan of {user} is {installed.get(user)}, due is {due.get(user)}"
            elif evolve(installed[user], version=due[user].version) != due[user]:
                yield f"{name}: the plan of {user} is {installed[user]}, due is {due[user]}"
    for account in accounts:
        right = presence(await _as_it_is(account, nodes[account.user.media_server].ami))
        for name, node in nodes.items():
            for number in account.user.numbers:
                if (reported := await shown(node.ami, number)) is not right:
                    yield f"{name}: {number} shows {reported}, right is {right}"


async def _as_it_is(account: Account, ami: Ami) -> Account:
    """An account whose lines are as its node says now."""
    for device in Device:
        interface = account.user.interface(device)
        state = await _value(ami, f"DEVICE_STATE({interface})")
        contacts = await _value(ami, f"PJSIP_AOR({interface.removeprefix('PJSIP/')},contact)")
        account = apply(account, LineChanged(device, LINE_STATUSES[state]))
        account = apply(account, ContactsChanged(device, reachable=bool(contacts)))
    return account


async def _value(ami: Ami, variable: str) -> str:
    return (await ami.act("Getvar", ("Variable", variable))).get("Value", "")


async def shown(ami: Ami, number: str) -> Presence | None:
    """What phones that watch a number are shown; None where there is no hint."""
    reported = await ami.act("ExtensionState", ("Context", "default"), ("Exten", number))
    return Presence(int(reported["Status"])) if reported.get("Hint") else None
