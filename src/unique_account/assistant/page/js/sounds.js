// Ringing, ringback and key tones, made here so that no files are needed.

const KEYS = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477],
  4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477],
  "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};
const RINGING = { tones: [440, 554], on: 1, every: 3, loud: 0.12 };
const RINGBACK = { tones: [440], on: 1.5, every: 5, loud: 0.06 };
const KEY_SECONDS = 0.12;

export class Sounds {
  #context = null;
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
      this.#play(KEYS[key], KEY_SECONDS, 0.05);
    }
  }

  #repeat(what) {
    if (what === this.#what) {
      return;
    }
    this.#what = what;
    clearInterval(this.#repeating);
    if (what) {
      const once = () => this.#play(what.tones, what.on, what.loud);
      once();
      this.#repeating = setInterval(once, what.every * 1000);
    }
  }

  #play(tones, seconds, loud) {
    this.#context ??= new AudioContext();
    const { currentTime, destination } = this.#context;
    const volume = this.#context.createGain();
    volume.gain.setValueAtTime(loud, currentTime);
    volume.gain.setTargetAtTime(0, currentTime + seconds - 0.03, 0.01);
    volume.connect(destination);
    for (const frequency of tones) {
      const tone = this.#context.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(volume);
      tone.start();
      tone.stop(currentTime + seconds + 0.1);
    }
  }
}
