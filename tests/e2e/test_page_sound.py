"""The page and sound: devices, volumes, a muted microphone, and a browser that waits for a gesture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.e2e.drivers.page import Assistant, DemoBrowser, demo_browser, expect, holds, open_settings
from tests.e2e.drivers.screenshots import ThemedPage, themed_page
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Locator

pytestmark = pytest.mark.e2e

SINKS: Final = """() => {
  globalThis.sinks = [];
  const devices = [
    ["audioinput", "default", "Default"], ["audioinput", "m1", "Headset"], ["audioinput", "m2", "Camera"],
    ["audiooutput", "s1", "Headset"], ["audiooutput", "s2", "Monitor"],
  ].map(([kind, deviceId, label]) => ({ kind, deviceId, label }));
  navigator.mediaDevices.enumerateDevices = async () => devices;
  HTMLMediaElement.prototype.setSinkId = async function (id) { sinks.push(["call", id]); };
  AudioContext.prototype.setSinkId = async function (id) { sinks.push(["context", id]); };
}"""
"""Devices that this machine does not have, and a record of what is played where."""

OSCILLATORS: Final = """() => {
  globalThis.tones = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function () { tones.push(this.frequency.value); start.call(this); };
}"""

TALKING: Final[dict[str, Any]] = {
    "id": "talks",
    "direction": "incoming",
    "status": "talking",
    "peer": "1003",
    "peerName": "",
    "answered": None,
    "muted": False,
}


LEVELS: Final[list[tuple[list[float], bool]]] = [
    ([], False),
    ([0.5, 0.5, 0.5], False),
    ([0.5, 0.5, 0.5, 0.5], True),
    ([0.01] * 20, False),
    ([0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0], True),
    ([0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0], False),
]
"""Levels of a microphone, and whether somebody speaks."""


async def opened(at: ThemedPage) -> Locator:
    """The settings of sound, opened."""
    await at.logged_in()
    await open_settings(at.page)
    return at.page.locator(".part-sound")


class TestDevices:
    """C2: a user chooses microphone, speaker and ringer, and the browser remembers them."""

    @in_loop
    async def test_are_offered_and_remembered(self) -> None:
        async with themed_page() as at:
            await at.page.evaluate(SINKS)
            settings = await opened(at)
            await expect(settings.locator("[data-audio=microphone] option")).to_have_text(
                ["As the system has it", "Headset", "Camera"]
            )
            for name, device in (("microphone", "m2"), ("speaker", "s1"), ("ringer", "s2")):
                await settings.locator(f"[data-audio={name}]").select_option(device)
            await settings.locator("[data-audio=volume]").fill("0.5")
            await at.page.reload()
            await at.page.wait_for_selector(".rings-here")
            kept = await at.page.evaluate("import('/js/audio.js').then(({ audioChoices }) => audioChoices())")
            assert kept == {
                "microphone": "m2",
                "speaker": "s1",
                "ringer": "s2",
                "volume": 0.5,
                "ringVolume": 1,
            }

    @in_loop
    async def test_are_used(self) -> None:
        async with themed_page() as at:
            await at.page.evaluate(SINKS)
            settings = await opened(at)
            await settings.locator("[data-audio=speaker]").select_option("s1")
            await settings.locator("[data-audio=volume]").fill("0.25")
            played = await at.page.evaluate("""async () => {
              const { microphoneAsked, playCall } = await import("/js/audio.js");
              const audio = new Audio();
              playCall(audio);
              return [audio.volume, sinks.at(-1), microphoneAsked()];
            }""")
            assert played == [0.25, ["call", "s1"], True]
            await settings.locator("[data-audio=ringer]").select_option("s2")
            await settings.get_by_role("button", name="Test the ringer").click()
            await holds(at.page, "sinks.some(([of, id]) => of === 'context' && id === 's2')")

    @in_loop
    async def test_that_are_unplugged_are_shown_as_such(self) -> None:
        async with themed_page() as at:
            await at.page.evaluate("localStorage.setItem('audio', '{\"speaker\": \"gone\"}')")
            await at.page.reload()
            settings = await opened(at)
            await expect(settings.locator("[data-audio=speaker] option:checked")).to_have_text(
                "Not plugged in"
            )


class TestTests:
    """C2: a user tries the devices out before a call."""

    @in_loop
    async def test_of_speaker_and_ringer_play_a_tone(self) -> None:
        async with themed_page() as at:
            await at.page.evaluate(OSCILLATORS)
            settings = await opened(at)
            for device in ("speaker", "ringer"):
                await at.page.evaluate("tones.length = 0")
                await settings.get_by_role("button", name=f"Test the {device}").click()
                await holds(at.page, "tones.length === 2")

    @in_loop
    async def test_of_the_microphone_move_the_meter(self) -> None:
        async with themed_page() as at:
            settings = await opened(at)
            await settings.get_by_role("button", name="Test the microphone").click()
            await holds(at.page, "document.getElementById('microphone-level').value > 0.01")
            await settings.get_by_role("button", name="Test the microphone").click()
            await expect(settings.locator("meter")).to_be_hidden()


class TestMuted:
    """C2: somebody who speaks although muted is told so, loudly."""

    @in_loop
    async def test_shows_with_a_way_out(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.evaluate("""async () => {
              const asked = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };
              const stream = await navigator.mediaDevices.getUserMedia({ audio: asked });
              const [track] = stream.getAudioTracks();
              track.enabled = false;
              phone.microphoneOf = () => track;
            }""")
            await at.own_calls(TALKING)
            loud = at.page.locator("[data-ask=muted]")
            await expect(loud).to_have_count(0)
            await at.own_calls({**TALKING, "muted": True})
            await expect(loud).to_contain_text("You are muted.")
            await expect(at.page.locator("#said-now")).to_have_text("You are muted.")
            await loud.get_by_role("button", name="Unmute").click()
            assert (await at.page.evaluate("actions"))[-1] == ["mute", "talks", False]
            await at.own_calls(TALKING)
            await expect(loud).to_have_count(0)

    @in_loop
    async def test_takes_words_for_speech_and_a_knock_for_none(self) -> None:
        async with themed_page() as at:
            say = "(all) => import('/js/muted.js').then(({ isSpeech }) => all.map(isSpeech))"
            said = await at.page.evaluate(say, [levels for levels, _ in LEVELS])
            assert said == [speaks for _, speaks in LEVELS]


class TestGesture:
    """C2: a browser that plays nothing before a gesture rings silently, and the page says so."""

    @in_loop
    async def test_lets_the_page_ring(self) -> None:
        async with demo_browser(autoplay=False) as at:
            tab = await another_tab(at)
            await holds(tab.page, f"({OSCILLATORS})() || true")
            await at.phones.press("bob", "Call Alice")
            await holds(tab.page, "document.querySelector('.call.ringing') && !tones.length")
            await tab.page.locator("[data-ask=sound] .button").click()
            await holds(tab.page, "tones.length >= 2")
            await expect(tab.page.locator("[data-ask=sound]")).to_have_count(0)

    @in_loop
    async def test_may_be_any(self) -> None:
        async with demo_browser(autoplay=False) as at:
            tab = await another_tab(at)
            await tab.page.keyboard.press("Tab")
            await expect(tab.page.locator("[data-ask=sound]")).to_have_count(0)

    @in_loop
    async def test_is_not_asked_for_where_there_was_one(self) -> None:
        async with demo_browser(autoplay=False) as at:
            tab = await at.logged_in()
            await holds(tab.page, "document.querySelector('[data-ask=notifications]')")
            await expect(tab.page.locator("[data-ask=sound]")).to_have_count(0)


async def another_tab(at: DemoBrowser) -> Assistant:
    """A tab that the user opened after logging in to a first one, and did not touch yet."""
    await at.logged_in()
    tab = await at.assistant()
    await holds(tab.page, "document.querySelector('[data-ask=sound]')")
    return tab


GOOD: Final = {
    "received": 200,
    "lost": 0,
    "jitter": 0.004,
    "samples": 200 * 960,
    "concealed": 0,
    "sent": 200,
    "sentLost": 0,
    "sentJitter": 0.004,
    "roundTrip": 0.03,
}
NOTHING: Final = dict.fromkeys(GOOD, 0)
JUDGED: Final[list[tuple[dict[str, float], str | None]]] = [
    ({}, "good"),
    ({"lost": 5}, "good"),
    ({"lost": 10}, "poor_here"),
    ({"sentLost": 8}, "poor_here"),
    ({"jitter": 0.05}, "poor_here"),
    ({"sentJitter": 0.05}, "poor_here"),
    ({"roundTrip": 0.6}, "poor_here"),
    ({"concealed": 200 * 96}, "poor_there"),
    ({"lost": 20, "concealed": 200 * 96}, "poor_here"),
    ({"received": 0, "sent": 0}, None),
    ({"received": 0}, "good"),
]
"""What differs from a good call, and the word for it."""


class TestQuality:
    """C2: how a call sounds is one word, with the numbers behind it."""

    @in_loop
    async def test_is_judged(self) -> None:
        async with themed_page() as at:
            judge = (
                "(pairs) => import('/js/quality.js')"
                ".then(({ qualityOf }) => pairs.map((pair) => qualityOf(...pair)?.word ?? null))"
            )
            pairs = [[NOTHING, {**GOOD, **changes}] for changes, _ in JUDGED]
            assert await at.page.evaluate(judge, pairs) == [word for _, word in JUDGED]

    @in_loop
    async def test_shows_with_its_numbers(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.evaluate("""() => {
              let packets = 0;
              phone.statistics = async () => new Map(Object.entries({
                in: { type: "inbound-rtp", kind: "audio", packetsReceived: packets += 90,
                      packetsLost: packets / 9, jitter: 0.012 },
                out: { type: "outbound-rtp", kind: "audio", packetsSent: packets },
                far: { type: "remote-inbound-rtp", kind: "audio", packetsLost: 0, roundTripTime: 0.08 },
              }));
            }""")
            await at.own_calls(TALKING)
            quality = at.page.locator(".call .quality")
            await expect(quality).to_contain_text("Sound: poor, because of your network", timeout=15_000)
            await quality.locator("summary").click()
            await expect(quality.locator("p")).to_have_text("Loss 10.0 % · jitter 12 ms · round trip 80 ms")
