// Ringing, ringback and key tones, made here so that no files are needed.

import { audioChoices, routeContext } from "./audio.js";

const KEYS = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477],
  4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477],
  "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};
const RINGING = { on: "ringer", tones: [440, 554], lasts: 1, every: 3, loud: 0.12 };
const RINGBACK = { on: "speaker", tones: [440], lasts: 1.5, every: 5, loud: 0.06 };
const KEY = { on: "speaker", lasts: 0.12, loud: 0.05 };
const TEST = { on: "speaker", tones: [440, 660], lasts: 1, loud: 0.12 };
const WARNING = { on: "speaker", tones: [880], lasts: 0.25, loud: 0.1 };
const STARTS_WITHIN = 500; // milliseconds
const VOLUMES = { ringer: "ringVolume", speaker: "volume" };

export class Sounds {
  #contexts = {};
  #repeating = null;
  #what = null;

  /** Play what the calls ask for: ringing for one that comes in, ringback for one that goes out. */
  follow(calls) {
    const here = calls.filter(({ where }) => where === "here");
    const busy = here.some(({ status }) => status === "talking");
    const rings = !busy && here.some(({ status }) => status === "ringing");
    const dials = here.some(({ status }) => status === "dialling");
    this.#repeat(rings ? RINGING : dials ? RINGBACK : null);
  }

  key(key) {
    if (KEYS[key]) {
      this.#play({ ...KEY, tones: KEYS[key] });
    }
  }

  /** Say loudly that something is wrong. */
  warn() {
    this.#play(WARNING);
  }

  /** Play a tone on the speaker, or the ring on the ringer. */
  test(device) {
    this.#play(device === "ringer" ? RINGING : TEST);
  }

  /** Use the devices that were chosen by now. */
  async route() {
    for (const [device, context] of Object.entries(this.#contexts)) {
      await routeContext(context, device);
    }
  }

  /** Whether the browser lets the page be heard; without a gesture on the page it may not. */
  async allowed() {
    const context = this.#context("ringer");
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 200))]);
    return context.state === "running";
  }

  /** After a gesture: play from now on, beginning with what should be heard already. */
  async allow() {
    await Promise.all(["ringer", "speaker"].map((device) => this.#context(device).resume()));
    const what = this.#what;
    this.#repeat(null);
    this.#repeat(what);
  }

  #context(device) {
    if (!this.#contexts[device]) {
      this.#contexts[device] = new AudioContext();
      routeContext(this.#contexts[device], device);
    }
    return this.#contexts[device];
  }

  #repeat(what) {
    if (what === this.#what) {
      return;
    }
    this.#what = what;
    clearInterval(this.#repeating);
    if (what) {
      const once = () => this.#play(what);
      once();
      this.#repeating = setInterval(once, what.every * 1000);
    }
  }

  #play(sound) {
    const { on, tones, lasts, loud } = sound;
    const context = this.#context(on);
    if (context.state !== "running") {
      const asked = Date.now(); // without a gesture it starts much later, and then nothing must play that was due before
      context.resume().then(() => Date.now() - asked < STARTS_WITHIN && this.#play(sound));
      return;
    }
    const { currentTime, destination } = context;
    const volume = context.createGain();
    volume.gain.setValueAtTime(loud * audioChoices()[VOLUMES[on]], currentTime);
    volume.gain.setTargetAtTime(0, currentTime + lasts - 0.03, 0.01);
    volume.connect(destination);
    for (const frequency of tones) {
      const tone = context.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(volume);
      tone.start();
      tone.stop(currentTime + lasts + 0.1);
    }
  }
}
