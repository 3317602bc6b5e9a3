"""A node that notes what each connection does there, and whose sessions end as those of Asterisk 22 do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Final

from attrs import define, field

from tests.adapters.asterisk.ami.scripted_node import ScriptedNode, Session
from tests.adapters.asterisk.fence.owners import HARMLESS
from tests.cluster.checker.history import Acted, Action, FencePassed, Lamp, Record, Role
from tests.cluster.schedules.peers import beginning
from unique_account.adapters.asterisk import plans
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.astdb_row import FAMILY, FORMS
from unique_account.adapters.asterisk.fence.epoch import EPOCH_FAMILY
from unique_account.core.routing import Plan

RINGS: Final = "Response: Success\r\nMessage: Originate successfully queued"


@define(eq=False)
class _Known:
    """What is known of a connection.

    Attributes:
        member: The member of the group on the other side.
        role: Which part of it.
        epoch: The epoch that it wrote itself, or else that of its process when it came.
    """

    member: str
    role: Role
    epoch: int


@define(eq=False)
class FakeNode(ScriptedNode):
    """A node of a run.

    Attributes:
        name: Its name.
        find: Finds the member at the other end of a connection and its own port, by the connection's port.
        note: Takes a record.
        random: Draws how long sessions linger.
        looks: From which numbers of looks at the list.
        fence: The newest epoch that acted here.
    """

    name: str
    find: Callable[[int], tuple[str, int]]
    note: Callable[[Record], object]
    random: Random
    looks: tuple[int, ...] = (0, 1, 1, 2, 3)
    _known: dict[int, _Known] = field(init=False, factory=dict)
    _lamps: dict[str, str] = field(init=False, factory=dict)
    fence: int = field(init=False, default=0)
    _listens: set[asyncio.StreamWriter] = field(init=False, factory=set)
    _epochs: dict[str, list[tuple[float, int]]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        super().__init__()
        self.endpoints = {}
        self.carried_out = self._carried_out
        self.replies["Originate"] = self._originate

    # -- phones --------------------------------------------------------------------------------------

    def give(self, user: str) -> None:
        """Have both phones of a user here, registered and idle."""
        for line in (user, f"{user}_w"):
            self.endpoints[line] = f"{line}/sip:{line}@192.0.2.1,", "Not in use"
            self.contacts[line] = f"sip:{line}@192.0.2.1"
            self.devices[f"PJSIP/{line}"] = "NOT_INUSE"

    def take_away(self, user: str) -> None:
        """Have no phone of a user here any more."""
        for line in (user, f"{user}_w"):
            self.endpoints.pop(line, None)
            self.contacts.pop(line, None)
            self.devices.pop(f"PJSIP/{line}", None)

    def change(self, line: str, state: str) -> None:
        """A phone is in another state from now on."""
        self.devices[f"PJSIP/{line}"] = state
        self.report(f"Event: DeviceStateChange\r\nDevice: PJSIP/{line}\r\nState: {state}")
        self.look()

    def write(self, data: bytes) -> None:
        """Send bytes to those who receive events."""
        for writer in self._listens & self._writers:
            writer.write(data)

    # -- what others see -----------------------------------------------------------------------------

    def lamp(self, number: str) -> str:
        """What a phone shows that watches a number."""
        shown = [self._state(device) for device in self.hints.get(number, "").split("&")]
        return shown[0] if len(set(shown)) == 1 else "&".join(shown)

    def _state(self, device: str) -> str:
        known = self.states if device.startswith("Custom:") else self.devices
        return known.get(device, "NOT_INUSE" if device.startswith("Custom:") else "UNAVAILABLE")

    def look(self) -> None:
        """Note each lamp that shows something else now."""
        for number in self.hints.keys() | self._lamps.keys():
            shown = self.lamp(number)
            if self._lamps.get(number) != shown:
                self._lamps[number] = shown
                self.note(Lamp(node=self.name, number=number, shows=shown, at=time.monotonic()))

    def plans(self) -> dict[str, Plan]:
        """The plans that it holds, by user."""
        prefix = f"/{FAMILY}/"
        rows = [
            (FAMILY, key.removeprefix(prefix), value)
            for key, value in self.database.items()
            if key.startswith(prefix)
        ]
        return plans(rows)

    # -- what it is asked ----------------------------------------------------------------------------

    def _originate(self, action: Message) -> list[str]:
        channel, number = action["Channel"], action["Exten"]
        event = "Event: OriginateResponse\r\nResponse: Success"
        return [RINGS, f"{event}\r\nChannel: {channel}\r\nExten: {number}"]

    def _carried_out(self, session: Session, action: Message) -> None:
        name = action["Action"]
        if name == "Login":
            self._came(session, action)
        if name in HARMLESS or name == "Originate":
            if name == "Originate":
                self._acts(session, action)
                self.note(Acted(id=action["Exten"], at=time.monotonic()))
            return
        if action.get("Family") == EPOCH_FAMILY:
            self._takes(session, action)
            return
        self._acts(session, action)
        asyncio.get_running_loop().call_soon(self.look)

    def _came(self, session: Session, action: Message) -> None:
        self.lingers = self.random.choice(self.looks)
        member, port = self.find(session.writer.get_extra_info("peername")[1])
        role = Role.GUARD if action.get("Events") == "off" else Role.SERVICE
        until = beginning(port) if role is Role.GUARD else time.monotonic()
        due = [epoch for at, epoch in self._epochs.get(member, []) if at < until]
        self._known[session.number] = _Known(member, role, max(due, default=0))
        if role is Role.SERVICE:
            self._listens.add(session.writer)

    def _takes(self, session: Session, action: Message) -> None:
        """A process writes its epoch; what it does by this connection from now on is of this epoch."""
        epoch, known = int(action["Val"].split()[0]), self._known[session.number]
        if epoch < self.fence:
            self._acts(session, action)
        known.epoch = epoch
        self._epochs.setdefault(known.member, []).append((time.monotonic(), epoch))

    def _acts(self, session: Session, action: Message) -> None:
        now, known = time.monotonic(), self._known[session.number]
        if known.epoch > self.fence:
            self.fence = known.epoch
            self.note(FencePassed(node=self.name, epoch=known.epoch, at=now))
        key = "/".join(filter(None, (action.get("Family"), action.get("Key"))))
        fields = action["Val"].split("!") if action["Action"] == "DBPut" and "!" in action["Val"] else []
        self.note(
            Action(
                node=self.name,
                epoch=known.epoch,
                role=known.role,
                name=action["Action"],
                key=key or action.get("Extension", "") or action.get("Variable", ""),
                version=_version(fields) if fields else None,
                at=now,
            )
        )


def _version(fields: list[str]) -> int:
    """The version of a plan, by the fields of its entry."""
    return int(fields[list(FORMS).index("version")])
