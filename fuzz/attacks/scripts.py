"""Scripts in the names of people and callers, on the real page in Chromium: each is shown, and none runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fuzz.attacks.attack import Attack
from fuzz.cti_server import KEY, PASSWORD, Lines
from fuzz.target import require
from fuzz.users import ALICE
from lab.browser import browser
from unique_account.adapters.memory import (
    MemoryCallLog,
    MemoryDirectory,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.assistant.static_files import PageFiles
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.events import CallChanged, DeviceSelected
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.machine import Device
from unique_account.service.service import Service

if TYPE_CHECKING:
    from playwright.async_api import Page

PAYLOADS: Final = (
    "<script>ran()</script>",
    "<img src=x onerror=ran()>",
    "<svg onload=ran()>",
    "<svg><script>ran()</script></svg>",
    "<iframe srcdoc='<script>parent.ran()</script>'></iframe>",
    "<iframe src='javascript:parent.ran()'></iframe>",
    "<a href='javascript:ran()'>x</a>",
    "<body onload=ran()>",
    "<details open ontoggle=ran()>x</details>",
    "<input autofocus onfocus=ran()>",
    "<style>@import 'x'; * { animation: x } </style><b onanimationstart=ran()>",
    '"><script>ran()</script>',
    "' onmouseover='ran()' x='",
    "${ran()}",
    "{{constructor.constructor('ran()')()}}",
    "</title></textarea><script>ran()</script><!--",
    "javascript:ran()",
)
"""What would call the function ``ran``, if the page took it for anything but text."""

_PREPARED: Final = "globalThis.runs = 0; globalThis.ran = () => { globalThis.runs += 1; };"
_FOREIGN: Final = """() => {
  const odd = document.querySelectorAll("script, img, iframe, object, embed, base, [srcdoc]");
  const elements = [...odd]
    .filter((one) => !(one.tagName === "SCRIPT" && one.src.startsWith(location.origin)))
    .filter((one) => one.getAttribute("src") !== "icon.svg");
  const handlers = [...document.querySelectorAll("*")]
    .filter((one) => [...one.attributes].some(({ name }) => name.startsWith("on")));
  return [...elements, ...handlers].map((one) => one.outerHTML);
}"""
_TEXT: Final = "document.body.innerText"


async def scripts(attempts: int) -> str:
    """Show the page to so many payloads, each as a colleague's name, in the history, and as who calls."""
    payloads = PAYLOADS[:attempts]
    async with _page(payloads) as (page, service):
        seen = await _shown(page, service, payloads)
        require(await page.evaluate("runs") == 0, "a script in a name runs")
        foreign = await page.evaluate(_FOREIGN)
        require(not foreign, f"a name became an element: {foreign}")
        for payload in payloads:
            require(_flat(payload) in seen, f"a name is not shown as it is: {payload}")
        await page.evaluate("ran()")
        require(await page.evaluate("runs") == 1, "what would have been noticed would not have been")
    return (
        f"{len(payloads)} scripts in names of colleagues, callers and past calls, in Chromium: "
        "none runs, each is shown as text"
    )


async def _shown(page: Page, service: Service, payloads: Sequence[str]) -> str:
    """Everything that the page shows, with each name as a caller's in turn."""
    await page.fill("#login", ALICE.id)
    await page.fill("#password", PASSWORD)
    await page.click("form .button.main")
    await page.wait_for_selector(".part-people .row")
    await page.wait_for_selector(".part-history .row")
    await service.handle(ALICE.id, DeviceSelected(Device.DESKPHONE))
    seen = [await page.evaluate(_TEXT)]
    for number, payload in enumerate(payloads):
        await service.handle(ALICE.id, CallChanged(_call(number, payload)))
        await page.wait_for_function(
            "(text) => document.body.innerText.includes(text)", arg=payload.split("\n")[0]
        )
        seen.append(await page.evaluate(_TEXT))
    return _flat("".join(seen))


def _call(number: int, name: str) -> Call:
    return Call(
        id=f"9.{number}",
        device=Device.DESKPHONE,
        direction=Direction.INCOMING,
        status=CallStatus.RINGING,
        started=datetime.now(UTC),
        peer="3000",
        peer_name=name,
    )


def _flat(text: str) -> str:
    """A text without its spaces, which a page may break lines at."""
    return "".join(text.split())


@asynccontextmanager
async def _page(payloads: Sequence[str]) -> AsyncIterator[tuple[Page, Service]]:
    """The page on a server whose people all have such names; it must not complain of anything."""
    clock, log, observer = SettableClock(datetime.now(UTC)), MemoryCallLog(), MemoryObserver()
    names = {str(2000 + number): payload for number, payload in enumerate(payloads)}
    directory = MemoryDirectory({ALICE.id: PASSWORD}, {"1001": payloads[0], **names}, {"1001": ALICE.id})
    cti = XucCti(
        XucSettings(key=KEY, port=0), directory, Lines(), observer, PageFiles("wss://pbx.example.org")
    )
    await log.add(_record(number, payload, clock.now()) for number, payload in names.items())
    ports: dict[str, Any] = {
        "cti": cti,
        "pbxs": (MemoryPbx(clock),),
        "clock": clock,
        "observer": observer,
        "call_log": log,
    }
    async with bootstrap(**ports) as service, browser() as chromium:
        await service.add(ALICE)
        page = await chromium.page()
        await page.add_init_script(_PREPARED)
        await page.goto(f"http://127.0.0.1:{await cti.port()}/")
        yield page, service
    require(not observer.failures, f"a failure: {observer.failures[:1]}")


def _record(number: str, name: str, now: datetime) -> CallRecord:
    start = now - timedelta(minutes=int(number) - 1990)
    return CallRecord(
        id=f"{number}.0",
        user=ALICE.id,
        start=start,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        device=Device.DESKPHONE,
        peer=f"0{number}",
        peer_name=name,
        ended=start + timedelta(seconds=9),
    )


ATTACK: Final = Attack(name="scripts", attempts=len(PAYLOADS), made=scripts)
