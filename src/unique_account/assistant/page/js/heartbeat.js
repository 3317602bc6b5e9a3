// Whether the server still answers, also in a tab whose timers the browser slows down, and after the computer slept.

export const ALONE = Object.freeze({ beat: 5_000, most: 3 }); // milliseconds, and questions without an answer
const ANSWERS_WITHIN = 2_000; // milliseconds, where the network may be another one

export class Heartbeat {
  #ask;
  #fellSilent;
  #timer = null;
  #deadline = null;
  #pace;
  #unanswered = 0; // questions
  #last = 0;
  #late = false;

  /** `ask` asks the server; `fellSilent` is called once as many questions in a row had no answer as `pace` allows. */
  constructor(ask, fellSilent, pace = ALONE) {
    this.#pace = pace;
    this.#ask = ask;
    this.#fellSilent = fellSilent;
  }

  start() {
    this.stop();
    this.#unanswered = 0;
    this.#late = false;
    this.#last = Date.now();
    this.#timer = setInterval(() => this.beat(), this.#pace.beat);
  }

  stop() {
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
  }

  answered() {
    this.#unanswered = 0;
    clearTimeout(this.#deadline);
  }

  /** Ask at once, and give up unless that is answered soon. */
  check() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(this.#fellSilent, ANSWERS_WITHIN);
    this.#ask();
  }

  /**
   * Ask, or give up. Only questions count, not the time: nobody asked while timers stood still. Of those that were asked
   * before they did, the answers may be lost without the connection being so; a late beat after one in time begins again.
   */
  beat() {
    const now = Date.now();
    const late = now - this.#last > 2 * this.#pace.beat;
    if (late && !this.#late) {
      this.#unanswered = 0;
    }
    this.#last = now;
    this.#late = late;
    if (this.#unanswered >= this.#pace.most) {
      this.#fellSilent();
    } else {
      this.#unanswered += 1;
      this.#ask();
    }
  }
}
