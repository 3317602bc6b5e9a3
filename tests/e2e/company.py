"""Everything real: an Asterisk, its deskphones, the service, the CTI server, and the page in a browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx
from attrs import evolve, frozen
from websockets.asyncio.client import connect

from lab.asterisk import Node, node
from lab.browser import Browser, browser
from lab.config import Endpoint
from lab.parties import MAKE, Party, party
from lab.phones import Phone, phone
from lab.ports import LOOPBACK
from tests.e2e.audience import Assistant
from tests.e2e.live import ALICE, BOB, files, manager_login
from tests.e2e.wire import Wire, wire
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.adapters.memory import MemoryDirectory, MemoryObserver
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.assistant.serving import PageFiles
from unique_account.bootstrap import bootstrap
from unique_account.ports.lines import SipLine
from unique_account.service import Service

USERS: Final = tuple(evolve(user, ring_seconds=20) for user in (ALICE, BOB))
DESKPHONE: Final = Endpoint(name="alice", caller_id="1001")
WEBRTC: Final = Endpoint(name="alice_w", caller_id="1001", webrtc=True, options={"rtp_timeout": "5"})
BOBS: Final = Endpoint(name="bob", caller_id="1002")
CAROLS: Final = Endpoint(name="carol", caller_id="1003")
UNUSED: Final = Endpoint(name="bob_w")
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
exten = 1003,1,Dial(PJSIP/carol,30)
"""
LISTENS: Final = """
(() => {
  // The browser takes a steady tone for noise, and would suppress it.
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const asItIs = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };
  navigator.mediaDevices.getUserMedia = () =>
    globalThis.refused ? Promise.reject(new DOMException("no", "NotAllowedError")) : ask({ audio: asItIs });
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const context = new AudioContext();
    globalThis.analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    context.createMediaStreamSource(this.srcObject).connect(analyser);
    return play.call(this);
  };
  globalThis.loudest = () => {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const most = Math.max(...bins);
    return most < -60 ? 0 : (bins.indexOf(most) * analyser.context.sampleRate) / analyser.fftSize;
  };
})();
"""
"""Lets a test refuse the microphone, and measure the loudest frequency of what the page plays."""


class NodeLines:
    """The lines port: where the browsers of a node register.

    Attributes:
        url: Where they are told to; the node's own address, unless a test says otherwise.
    """

    def __init__(self, pbx: Node, endpoints: Mapping[str, Endpoint]) -> None:
        self.url = pbx.websocket
        self._endpoints = endpoints

    async def line(self, user: str) -> SipLine | None:
        """A user's line."""
        endpoint = self._endpoints.get(user)
        if endpoint is None:
            return None
        return SipLine(name=endpoint.name, password=endpoint.password, url=self.url, domain=LOOPBACK)


@frozen(weakref_slot=False)
class Company:
    """A company at work, in which Alice has a Unique Account and a browser."""

    pbx: Node
    deskphone: Phone | Party
    bob: Phone
    carol: Phone
    chromium: Browser
    service: Service
    lines: NodeLines
    address: str

    @property
    def alice(self) -> Phone:
        """Alice's deskphone, which does not obey the *talk* and *hold* events."""
        assert isinstance(self.deskphone, Phone)
        return self.deskphone

    @property
    def obeying(self) -> Party:
        """Alice's deskphone, which obeys them."""
        assert isinstance(self.deskphone, Party)
        return self.deskphone

    async def tab(self) -> Assistant:
        """A new tab at the log-in."""
        page = await self.chromium.page()
        await page.add_init_script(LISTENS)
        await page.goto(self.address)
        return Assistant(page, self.address)

    async def logged_in(self) -> Assistant:
        """A new tab that Alice logged in to, with its line registered."""
        assistant = await self.tab()
        await assistant.log_in()
        await assistant.ready()
        return assistant

    @asynccontextmanager
    async def program(self) -> AsyncIterator[Callable[..., Awaitable[None]]]:
        """A program that Alice runs besides her browser, logged in to the CTI server to give commands."""
        api = f"{self.address}xuc/api/2.0"
        async with httpx.AsyncClient(trust_env=False) as client:
            body = {"login": "alice", "password": "alice"}
            token = (await client.post(f"{api}/auth/login", json=body)).json()["token"]
        url = f"{api.replace('http:', 'ws:')}/cti?token={token}"
        async with connect(url, proxy=None) as socket:

            async def command(name: str, **fields: str) -> None:
                await socket.send(json.dumps({"claz": "web", "command": name, **fields}))

            yield command


@asynccontextmanager
async def company(
    *, obeys: bool = False, appended: Mapping[str, str] | None = None, prompts: bool = False
) -> AsyncIterator[Company]:
    """A company whose phones are registered, and a browser in which nobody is logged in.

    Args:
        obeys: Whether Alice's deskphone does what the *talk* and *hold* events tell it; then it has no sound.
        appended: What comes at the end of the node's configuration files, by their names.
        prompts: Whether mailboxes can greet, and so take messages; else they give up at once.
    """
    async with AsyncExitStack() as stack:
        endpoints = (DESKPHONE, WEBRTC, BOBS, CAROLS, UNUSED)
        pbx = await stack.enter_async_context(
            node(endpoints, EXTENSIONS, more_files=files(USERS), appended=appended, prompts=prompts)
        )
        bob, carol = [await stack.enter_async_context(phone(pbx, endpoint)) for endpoint in (BOBS, CAROLS)]
        alice: Phone | Party
        if obeys:
            alice = await stack.enter_async_context(party(pbx, DESKPHONE, obeys=True))
            await alice.register()
        else:
            alice = await stack.enter_async_context(phone(pbx, DESKPHONE))
        observer, lines = MemoryObserver(), NodeLines(pbx, {"alice": WEBRTC})
        names = {"1001": "Alice Martin", "1002": "Bob Durand", "1003": "Carol Nguyen"}
        directory = MemoryDirectory({"alice": "alice"}, names, {"1001": "alice"})
        page = PageFiles("ws:", "wss:")
        cti = XucCti(XucSettings(key="k" * 32, port=0), directory, lines, observer, page)
        adapter = AsteriskPbx(manager_login(pbx), observer, obeying=(MAKE,))
        service = await stack.enter_async_context(bootstrap(pbxs=(adapter,), cti=cti, observer=observer))
        for user in USERS:
            await service.add(user)
        address = f"http://{LOOPBACK}:{await cti.port()}/"
        chromium = await stack.enter_async_context(browser())
        yield Company(pbx, alice, bob, carol, chromium, service, lines, address)


@frozen
class Network:
    """What lies between a browser and both servers: the one of the page, and the node."""

    to_page: Wire
    to_node: Wire

    def cut(self) -> None:
        """Lose it so that every connection breaks, as where a cable is pulled."""
        for each in (self.to_page, self.to_node):
            each.cut()

    def silence(self) -> None:
        """Lose it without a word, as where a laptop is carried out of reach."""
        for each in (self.to_page, self.to_node):
            each.silence()

    def mend(self) -> None:
        """Bring it back."""
        for each in (self.to_page, self.to_node):
            each.mend()


@asynccontextmanager
async def remote() -> AsyncIterator[tuple[Company, Network]]:
    """A company whose browser is on a network that a test can lose; its phones and its servers are not."""
    async with (
        company() as at,
        wire(urlsplit(at.address).port or 0) as to_page,
        wire(at.pbx.ports.http) as to_node,
    ):
        at.lines.url = f"ws://{LOOPBACK}:{to_node.port}/ws"
        yield evolve(at, address=f"http://{LOOPBACK}:{to_page.port}/"), Network(to_page, to_node)
