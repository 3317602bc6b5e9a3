"""A stage for calls that are recorded: nodes, phones and browsers, and what they saw themselves.

The truth of a recording is what the phones tell and what the script did, never what the PBX wrote down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from attrs import define, field

from lab.asterisk import Node, node
from lab.browser import Browser, Tab, browser
from lab.config import MODULES, Endpoint, modules_conf
from lab.parties import Party, party
from lab.patience import until
from lab.phones import Phone, phone
from lab.ports import LOOPBACK, port
from tests.e2e.fixtures.planned_node import install, planned
from tests.e2e.scenes.people import EVERYBODY, USERS
from unique_account.adapters.asterisk.config_files.dialplan import render
from unique_account.core.events import Event
from unique_account.core.user import User

_GROUP: Final = {"call_group": "1", "pickup_group": "1"}
_BROWSER: Final = {"rtp_timeout": "2"}
ENDPOINTS: Final = {
    "alice": Endpoint(name="alice", caller_id="1001", options=_GROUP),
    "alice_w": Endpoint(name="alice_w", caller_id="1001", webrtc=True, options=_BROWSER | _GROUP),
    "bob": Endpoint(name="bob", caller_id="1002", options=_GROUP),
    "carol": Endpoint(name="carol", caller_id="1003", options=_GROUP),
    "dave": Endpoint(name="dave", caller_id="1004", options=_GROUP),
    "carrier": Endpoint(name="carrier", caller_id="0198765432"),
    **{f"{name}_w": Endpoint(name=f"{name}_w", password="") for name in ("bob", "carol", "dave")},
}
AWAY: Final = (Endpoint(name="erin", caller_id="1005"), Endpoint(name="erin_w", password=""))
"""Whose phones are at the second node."""

TRUNKS: Final = {"default": "mds1", "mds1": "default"}
"""The nodes, each with the endpoint by which it reaches the other."""

EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = parkedcalls
include = parkedsoon
exten = 2000,1,Dial(PJSIP/alice&PJSIP/carol&PJSIP/dave,5)
exten = 2001,1,Dial(Local/1001@default&Local/1003@default,5)
exten = 4000,1,ConfBridge(room)
exten = 700,1,Park()
exten = 710,1,Park(soon)
exten = *8,1,Pickup()
exten = _0X.,1,Dial(PJSIP/carrier,10)
"""

CEL: Final = """[general]
enable = yes
apps = dial,voicemail,park,confbridge
events = ALL
[manager]
enabled = yes
"""

PARKING: Final = """[general]
[default]
parkext = 799
parkpos = 701-709
context = parkedcalls
[soon]
parkext = 798
parkpos = 711-719
context = parkedsoon
parkingtime = 2
comebackdialtime = 3
"""
"""Two lots: in one a caller stays, from the other he comes back soon."""

_MORE_MODULES: Final = ("res_parking", "app_confbridge", "app_bridgewait")
FILES: Final = {
    "voicemail.conf": "[general]\nformat = wav\nmaxsilence = 0\n[default]\n1001 => 1234,Alice\n",
    "cel.conf": CEL,
    "confbridge.conf": "[general]\n",
    "res_parking.conf": PARKING,
    "modules.conf": modules_conf([*MODULES.split(), *_MORE_MODULES]),
}


_WORDS: Final = {
    Phone: {"rings": "CALL_INCOMING", "up": "CALL_ESTABLISHED", "over": "CALL_CLOSED"},
    Tab: {"rings": "ringing", "up": "confirmed", "over": "closed"},
    Party: {"rings": "ringing", "up": "answered", "over": "over"},
}


@define
class Actor:
    """A phone of any kind, and when its current call began to ring, was up, and was over, as it says."""

    phone: Phone | Tab | Party
    since: float = 0.0
    at: dict[str, float] = field(factory=dict)

    async def sees(self, word: str) -> float:
        """Wait until it ``rings``, is ``up`` or the call is ``over``; the instant."""
        kind = _WORDS[type(self.phone)][word]
        if isinstance(self.phone, Party):
            reported = (await self.phone.sees(kind, after=self.since)).at
        else:
            reported = (await self.phone.event(kind, after=self.since)).at
        self.at[word] = reported
        return reported

    async def dial(self, number: str) -> None:
        self.since = time.monotonic()
        if isinstance(self.phone, Party):
            self.phone.dial(number)
        else:
            await self.phone.dial(number)

    async def answer(self) -> None:
        if isinstance(self.phone, Phone):
            await self.phone.accept()
        elif isinstance(self.phone, Tab):
            await self.phone.answer()
        else:
            self.phone.answer()
        await self.sees("up")

    async def refuse(self) -> None:
        if isinstance(self.phone, Party):
            self.phone.reject()
        else:
            await self.phone.hang_up()

    async def hang_up(self) -> None:
        await self.phone.hang_up()
        if not isinstance(self.phone, Party):
            await self.sees("over")
        else:
            self.at["over"] = time.monotonic()

    @property
    def rang(self) -> float:
        return self.at.get("up", self.at.get("over", 0.0)) - self.at["rings"]

    @property
    def talked(self) -> float:
        return self.at["over"] - self.at["up"]


@define
class Stage:
    """The nodes and who plays.

    Attributes:
        pbx: The main node.
        other: The second one; None where there is none.
        joined: Before which message of the main node's which calls were joined by a command of ours.
    """

    pbx: Node
    stack: AsyncExitStack
    other: Node | None = None
    actors: dict[str, Actor] = field(factory=dict)
    chromium: Browser | None = None
    joined: list[tuple[int, tuple[str, ...]]] = field(factory=list)

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    async def plan(self, user: User, *events: Event) -> None:
        """Install the plan that a user has after events."""
        home = self.other if user.media_server == "mds1" else self.pbx
        assert home is not None
        await install(home.ami, planned(user, *events))

    async def tab(self, name: str = "tab") -> Actor:
        """A tab of alice's browser, which is started if it is not there."""
        if self.chromium is None:
            self.chromium = await self.stack.enter_async_context(browser())
        self.actors[name] = Actor(await self.chromium.tab(self.pbx, ENDPOINTS["alice_w"]))
        self.actors[name].since = time.monotonic()
        return self.actors[name]

    async def call(self, caller: str, number: str) -> Actor:
        """Let somebody dial."""
        self.begin()
        await self.actors[caller].dial(number)
        return self.actors[caller]

    def begin(self) -> None:
        """What phones tell counts from now on."""
        for actor in self.actors.values():
            actor.since, actor.at = time.monotonic(), {}

    async def connected(self, *names: str, after: float = 0.0) -> None:
        """Wait until phones are up, and their channels in a bridge with somebody."""
        for name in names:
            await self.actors[name].sees("up")
        start = after or min(self.actors[name].since for name in names)
        await self.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")

    async def quiet(self) -> None:
        """Wait until no channel is left, and all has been written down."""

        async def silent() -> bool:
            counted = [await pbx.cli("core show channels count") for pbx in self.nodes.values()]
            return all("0 active channels" in count for count in counted)

        await until(silent, "the end of all calls")
        await asyncio.sleep(0.3)

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes by name."""
        return {"default": self.pbx} | ({} if self.other is None else {"mds1": self.other})


@asynccontextmanager
async def stage(
    deskphones: Iterable[str] = ("alice", "bob"), parties: Iterable[str] = ("carol", "dave", "carrier")
) -> AsyncIterator[Stage]:
    """A node with deskphones that are real ones, and parties."""
    files = {**FILES, "unique_account.conf": render(USERS)}
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(
            node(ENDPOINTS.values(), EXTENSIONS, more_files=files, prompts=True)
        )
        at = Stage(pbx, stack)
        for name in deskphones:
            at.actors[name] = Actor(await stack.enter_async_context(phone(pbx, ENDPOINTS[name])))
        for name in parties:
            made = await stack.enter_async_context(party(pbx, ENDPOINTS[name]))
            await made.register()
            at.actors[name] = Actor(made)
        yield at


@asynccontextmanager
async def two_nodes() -> AsyncIterator[Stage]:
    """Two nodes with a trunk between them: alice, bob and carol at the main one, erin at the other."""
    ports = {name: port() for name in TRUNKS}
    at_home = tuple(ENDPOINTS[name] for name in ("alice", "bob", "carol", "alice_w", "bob_w", "carol_w"))
    async with AsyncExitStack() as stack:
        nodes = {}
        for name, own in (("default", at_home), ("mds1", AWAY)):
            other = TRUNKS[name]
            text = render(EVERYBODY, {other: f"PJSIP/{other}"})
            nodes[name] = await stack.enter_async_context(
                node(
                    (_trunk(name, ports[other]), *own),
                    EXTENSIONS,
                    name=name,
                    more_files={**FILES, "unique_account.conf": text},
                    sip=ports[name],
                )
            )
        at = Stage(nodes["default"], stack, nodes["mds1"])
        for endpoint in (*at_home[:3], AWAY[0]):
            pbx = nodes["mds1" if endpoint in AWAY else "default"]
            made = await stack.enter_async_context(party(pbx, endpoint))
            await made.register()
            at.actors[endpoint.name] = Actor(made)
        await asyncio.sleep(1.5)  # so that each has found the other
        yield at


def _trunk(name: str, other_port: int) -> Endpoint:
    return Endpoint(
        name=TRUNKS[name],
        password="",
        context="unique-account-trunk",
        options={"from_user": name, "send_pai": "yes", "trust_id_inbound": "yes"},
        aor_options={
            "contact": f"sip:{LOOPBACK}:{other_port}",
            "qualify_frequency": "1",
            "qualify_timeout": "0.5",
        },
    )
