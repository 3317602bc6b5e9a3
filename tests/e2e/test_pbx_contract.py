"""The live adapter keeps the PBX contract, on a real Asterisk with SIP phones around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest

from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.parties import Party, PartyCall, party
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin, render
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.forwarding import Destination, Mailbox, Refusal
from unique_account.core.presence import Presence
from unique_account.ports.pbx import Pbx
from unique_account.testing.contracts import PbxContract, Phones

pytestmark = pytest.mark.e2e

USERS: Final = (PbxContract.alice, PbxContract.bob)
PHONES: Final = ("alice", "alice_w", "bob", "bob_w")
CALLERS: Final = tuple(
    Endpoint(name=f"caller{number}", password="", caller_id=f"300{number}") for number in range(1, 6)
)
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
"""
FILES: Final = {
    "unique_account.conf": render(USERS),
    "voicemail.conf": "[general]\nformat = wav\n[default]\n1001 => 1234,Alice\n",
}


class RealPhones:
    """SIP parties: one for each device, and a caller for each call."""

    def __init__(self, pbx: Node, phones: dict[str, Party], callers: list[Party]) -> None:
        self._pbx = pbx
        self._phones = phones
        self._callers = callers
        self._calls: dict[str, tuple[Party, PartyCall]] = {}

    async def register(self, interface: str) -> None:
        await self._phone(interface).register()

    async def unregister(self, interface: str) -> None:
        await self._phone(interface).unregister()

    async def call(self, number: str) -> str:
        caller = self._callers[len(self._calls)]
        name = f"300{len(self._calls) + 1}"
        self._calls[name] = (caller, caller.dial(number))
        return name

    async def ringing(self, call: str) -> str | None:
        for name, phone in self._phones.items():
            if any(one.incoming and not one.answered and one.number == call for one in phone.calls):
                return f"PJSIP/{name}"
        return None

    async def pick_up(self, interface: str) -> None:
        self._phone(interface).answer()

    async def reject(self, interface: str) -> None:
        self._phone(interface).reject()

    async def hang_up(self, call: str) -> None:
        caller, dialled = self._calls[call]
        await caller.hang_up(dialled)

    async def talks(self, call: str) -> bool:
        _, dialled = self._calls[call]
        return dialled.answered and not dialled.over

    async def destination(self, call: str) -> Destination | None:
        _, dialled = self._calls[call]
        if dialled.cause:
            return Refusal(int(dialled.cause))

        def consults(message: Message) -> bool:
            asked = message.get("AppData", "").startswith("VoiceMail(")
            return asked and message.get("CallerIDNum") == call and message.get("Application") == "TryExec"

        reported = next(filter(consults, self._pbx.ami.messages), None)
        return (
            None
            if reported is None
            else Mailbox(reported["AppData"].removeprefix("VoiceMail(").partition(",")[0])
        )

    async def hint(self, number: str) -> Presence | None:
        reported = await self._pbx.ami.act("ExtensionState", ("Context", "default"), ("Exten", number))
        return Presence(int(reported["Status"])) if reported.get("Hint") else None

    async def lose_node(self) -> None:
        await self._pbx.stop()

    async def restore_node(self) -> None:
        await self._pbx.start()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _phone(self, interface: str) -> Party:
        return self._phones[interface.removeprefix("PJSIP/")]


@asynccontextmanager
async def contract_node() -> AsyncIterator[tuple[Node, RealPhones]]:
    """A node for the users of the contract, without plans, and its phones."""
    endpoints = {
        name: Endpoint(name=name, caller_id="1001" if name.startswith("alice") else "1002") for name in PHONES
    }
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(
            node((*endpoints.values(), *CALLERS), EXTENSIONS, more_files=FILES)
        )
        phones = {
            name: await stack.enter_async_context(party(pbx, one, controllable=name == "alice"))
            for name, one in endpoints.items()
        }
        callers = [await stack.enter_async_context(party(pbx, one)) for one in CALLERS]
        yield pbx, RealPhones(pbx, phones, callers)


class TestAsteriskPbx(PbxContract):
    """The PBX that a real Asterisk is."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Pbx, Phones]]:
        async with contract_node() as (pbx, phones):
            login = ManagerLogin(username="lab", secret=pbx.secret, port=pbx.ports.ami)
            yield AsteriskPbx(login, MemoryObserver()), phones
