"""The browser's phone on a SIP stack that a test plays: what real telephone systems do rarely."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from lab.browser import kept_browser
from lab.waiting import until
from tests.e2e.drivers.scripted_server import ACCOUNT, ORIGIN, ScriptedServer
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

STACK: Final = """
  class Emitter {
    handlers = {};
    on(kind, handler) { (this.handlers[kind] ??= []).push(handler); }
    once(kind, handler) { this.on(kind, handler); }
    emit(kind, event = {}) { for (const handler of this.handlers[kind] ?? []) handler(event); }
  }
  class Session extends Emitter {
    id = "one"; direction = "outgoing"; remote_identity = { uri: { user: "1002" } };
    established = false; ended = false; held = false; verbs = [];
    connection = { senders: [], addEventListener() {}, getSenders() { return this.senders; } };
    isEstablished() { return this.established; }
    isEnded() { return this.ended; }
    isOnHold() { return { local: this.held }; }
    isMuted() { return { audio: false }; }
    terminate(options) { this.ended = true; this.emit("ended", options); }
    hold(options, done) { return this.negotiate("hold", true, "Hold Failed", done); }
    unhold(options, done) { return this.negotiate("unhold", false, "Unhold Failed", done); }
    negotiate(verb, held, reason_phrase, done) {
      this.verbs.push(verb);
      this.held = held;
      if (globalThis.refusesHold && verb === "hold") setTimeout(() => this.terminate({ reason_phrase }));
      else if (!globalThis.neverAnswers) setTimeout(() => done?.());
      return true;
    }
  }
  class UA extends Emitter {
    start() { this.emit("registered"); }
    call() {
      const session = (globalThis.session = new Session());
      this.emit("newRTCSession", { session });
      return session;
    }
  }
  globalThis.JsSIP = { C: { causes: {} }, UA, WebSocketInterface: class {} };
"""
PHONE: Final = """async () => {
  const { Phone } = await import("/js/sip.js");
  globalThis.said = [];
  globalThis.opened = [];
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (what) => {
    if (globalThis.noMicrophone) throw new DOMException("", "NotFoundError");
    opened.push(await open(what));
    return opened.at(-1);
  };
  globalThis.phone = new Phone({
    changed: (registration, calls) => (globalThis.calls = calls),
    troubled: (kind) => said.push(kind),
    recovered: (kind) => said.push(`no ${kind}`),
  });
  phone.start({ url: "ws://pbx/ws", uri: "sip:alice@pbx", name: "alice", password: "", iceServers: [] });
  await phone.dial("1002");
}"""


UNPLUG: Final = """() => {
  globalThis.first = opened.at(-1).getAudioTracks()[0];
  globalThis.sender = { track: first, replaceTrack: async (other) => void (sender.track = other) };
  session.connection.senders = [sender];
  first.stop();
  first.dispatchEvent(new Event("ended"));
}"""


@asynccontextmanager
async def dialled(*, established: bool = True) -> AsyncIterator[Page]:
    """A page whose phone dialled, and talks if it is established."""
    async with kept_browser() as chromium:
        page = await chromium.page()
        await ScriptedServer(ACCOUNT).serve(page)
        await page.context.grant_permissions(["microphone"])
        await page.goto(f"{ORIGIN}/")
        await page.evaluate(f"() => {{ {STACK} }}")
        await page.evaluate(PHONE)
        if established:
            await page.evaluate("() => { session.established = true; session.emit('accepted'); }")
        yield page


async def outcome(page: Page, command: str) -> Any:
    """What a command of the phone comes to: done, or the kind of trouble."""
    script = f"phone.{command}('one').then(() => 'done', ({{ kind }}) => kind)"
    return await page.evaluate(script)


async def said(page: Page, count: int) -> None:
    """Wait until the phone reported so many troubles."""

    async def so() -> bool:
        return bool(await page.evaluate("count => said.length >= count", count))

    await until(so, "a trouble")


class TestHold:
    """C2: a hold that fails is said, the call goes on, and later commands work."""

    @in_loop
    async def test_that_the_other_side_refuses(self) -> None:
        async with dialled() as page:
            await page.evaluate("globalThis.refusesHold = true")
            assert await outcome(page, "hold") == "hold_refused"
            now = await page.evaluate("[session.ended, session.held, calls[0].status]")
            assert now == [False, False, "talking"]
            await page.evaluate("globalThis.refusesHold = false")
            assert await outcome(page, "hold") == "done"

    @in_loop
    async def test_that_is_never_answered(self) -> None:
        async with dialled() as page:
            await page.evaluate("globalThis.neverAnswers = true")
            assert await outcome(page, "hold") == "try_again"

    @in_loop
    async def test_of_a_call_that_ends(self) -> None:
        async with dialled() as page:
            await page.evaluate(
                "() => { globalThis.neverAnswers = true; setTimeout(() => session.terminate(), 50); }"
            )
            assert await outcome(page, "hold") == "call_over"


class TestMicrophone:
    """C2: a microphone that is unplugged in a call is said, and another one takes its place."""

    @in_loop
    async def test_another_one_takes_its_place(self) -> None:
        async with dialled() as page:
            await page.evaluate(UNPLUG)
            await said(page, 1)
            assert await page.evaluate("said") == ["microphone_changed"]
            assert await page.evaluate("sender.track !== first && sender.track.readyState === 'live'")

    @in_loop
    async def test_the_call_waits_for_one(self) -> None:
        async with dialled() as page:
            await page.evaluate("globalThis.noMicrophone = true")
            await page.evaluate(UNPLUG)
            await said(page, 1)
            assert await page.evaluate("said") == ["microphone_gone"]
            await page.evaluate("globalThis.noMicrophone = false")
            await page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
            await said(page, 2)
            assert await page.evaluate("said") == ["microphone_gone", "no microphone_gone"]


class TestCauses:
    """R17: why a call was not taken is said in words."""

    @pytest.mark.parametrize(
        ("status", "reason", "kind"),
        [
            (404, "", "no_such_number"),
            (486, "", "busy"),
            (480, "", "not_taken"),
            (480, "Q.850;cause=20", "not_reachable"),
            (503, "Q.850;cause=34", "lines_busy"),
            (484, "", "incomplete_number"),
            (403, "Q.850;cause=21", "call_refused"),
            (403, "Q.850;cause=57", "not_allowed"),
            (599, "", "not_taken"),
        ],
    )
    @in_loop
    async def test_of_a_call(self, status: int, reason: str, kind: str) -> None:
        async with dialled(established=False) as page:
            await page.evaluate(
                """([status_code, reason]) => session.emit("failed", {
                  cause: "Other", originator: "remote", message: { status_code, getHeader: () => reason },
                })""",
                [status, reason],
            )
            assert await page.evaluate("said") == [kind]
