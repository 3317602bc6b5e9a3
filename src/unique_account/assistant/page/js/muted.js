// "You are muted": shown while somebody speaks in a call whose microphone is muted.

import { measure } from "./meter.js";

const SPEAKS = 0.08; // a level above which it is speech rather than a fan
const SAMPLES = 8; // the last ones, of which
const LOUD = 4; // so many must be loud
const SHOWN_FOR = 3000; // milliseconds after the last word

/** Whether levels, the newest last, are those of somebody who speaks. */
export function isSpeech(levels) {
  return levels.slice(-SAMPLES).filter((level) => level > SPEAKS).length >= LOUD;
}

/** Watches the microphone of the call that is muted. A muted track is silent, so a clone of it is measured. */
export class SpeaksMuted {
  #microphoneOf;
  #report;
  #call = null;
  #stop = () => {};
  #hides = null;

  /** `microphoneOf(id)` gives the track of a call's microphone; `report(id)` shows the call, or with null hides it. */
  constructor(microphoneOf, report) {
    this.#microphoneOf = microphoneOf;
    this.#report = report;
  }

  follow(own) {
    const call = own.find(({ status, muted }) => status === "talking" && muted)?.id ?? null;
    if (call === this.#call) {
      return;
    }
    this.#call = call;
    this.#stop();
    this.#hide();
    const track = call && this.#microphoneOf(call);
    this.#stop = track ? this.#listen(call, track) : () => {};
  }

  #listen(call, track) {
    const clone = track.clone();
    clone.enabled = true;
    let levels = [];
    const stop = measure(new MediaStream([clone]), (level) => {
      levels = [...levels, level].slice(-SAMPLES);
      if (isSpeech(levels)) {
        this.#show(call);
      }
    });
    return () => {
      stop();
      clone.stop();
    };
  }

  #show(call) {
    if (!this.#hides) {
      this.#report(call);
    }
    clearTimeout(this.#hides);
    this.#hides = setTimeout(() => this.#hide(), SHOWN_FOR);
  }

  #hide() {
    clearTimeout(this.#hides);
    if (this.#hides) {
      this.#hides = null;
      this.#report(null);
    }
  }
}
