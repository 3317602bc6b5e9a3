// How well a call sounds, in one word with the numbers behind it. Pure: statistics in, a judgement out.
//
// What the browser measures is the way between it and the PBX: loss and jitter of what comes, loss of what goes (the
// PBX reports it), and the round trip. If that way is good and sound is missing nevertheless, it was lost on the other
// party's way to the PBX.

const POOR = { loss: 0.03, jitter: 0.04, roundTrip: 0.4, missing: 0.05 }; // shares and seconds
const FEWEST_PACKETS = 50; // a second of sound; fewer say nothing

/** What counts of a call's `RTCStatsReport`; null before the first packet. */
export function sampleOf(report) {
  const all = [...report.values()];
  const audio = (type) => all.find((one) => one.type === type && (one.kind ?? one.mediaType) === "audio") ?? {};
  const [comes, goes, reported] = [audio("inbound-rtp"), audio("outbound-rtp"), audio("remote-inbound-rtp")];
  const pair = all.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
  if (comes.packetsReceived === undefined) {
    return null;
  }
  return {
    received: comes.packetsReceived,
    lost: comes.packetsLost ?? 0,
    jitter: comes.jitter ?? 0,
    samples: comes.totalSamplesReceived ?? 0,
    concealed: (comes.concealedSamples ?? 0) - (comes.silentConcealedSamples ?? 0),
    sent: goes.packetsSent ?? 0,
    sentLost: reported.packetsLost ?? 0,
    sentJitter: reported.jitter ?? 0,
    roundTrip: reported.roundTripTime ?? pair?.currentRoundTripTime ?? 0,
  };
}

/** How a call sounded between two samples: { word, loss, jitter, roundTrip }; null if too little came to say. */
export function qualityOf(before, after) {
  const grown = (name) => Math.max(0, after[name] - before[name]);
  const expected = grown("received") + grown("lost");
  if (expected < FEWEST_PACKETS && grown("sent") < FEWEST_PACKETS) {
    return null;
  }
  const loss = Math.max(share(grown("lost"), expected), share(grown("sentLost"), grown("sent")));
  const jitter = Math.max(after.jitter, after.sentJitter);
  const { roundTrip } = after;
  const missing = share(grown("concealed"), grown("samples"));
  return { word: wordOf({ loss, jitter, roundTrip, missing }), loss, jitter, roundTrip };
}

function wordOf({ loss, jitter, roundTrip, missing }) {
  if (loss >= POOR.loss || jitter >= POOR.jitter || roundTrip >= POOR.roundTrip) {
    return "poor_here";
  }
  return missing >= POOR.missing ? "poor_there" : "good";
}

function share(part, whole) {
  return whole ? Math.min(1, part / whole) : 0;
}

const EVERY = 2000; // milliseconds
const KEPT = 3; // samples: a judgement is of the last four seconds

/** Asks for the statistics of the calls that are talked on, and reports `{ [id]: quality }`. */
export class QualityWatch {
  #statistics;
  #report;
  #samples = new Map();
  #timer = null;

  /** `statistics(id)` resolves to a call's `RTCStatsReport`, or to null. */
  constructor(statistics, report) {
    this.#statistics = statistics;
    this.#report = report;
  }

  follow(own) {
    const talking = own.filter(({ status }) => status === "talking").map(({ id }) => id);
    for (const id of [...this.#samples.keys()].filter((one) => !talking.includes(one))) {
      this.#samples.delete(id);
    }
    for (const id of talking.filter((one) => !this.#samples.has(one))) {
      this.#samples.set(id, []);
    }
    if (talking.length) {
      this.#timer ??= setInterval(() => this.#ask(), EVERY);
    } else if (this.#timer) {
      clearInterval(this.#timer);
      this.#timer = null;
      this.#report({});
    }
  }

  async #ask() {
    const judged = {};
    for (const [id, samples] of [...this.#samples]) {
      const report = await this.#statistics(id);
      const sample = report && sampleOf(report);
      if (sample && this.#samples.has(id)) {
        const kept = [...samples, sample].slice(-KEPT);
        this.#samples.set(id, kept);
        judged[id] = kept.length > 1 ? qualityOf(kept[0], sample) : null;
      }
    }
    this.#report(judged);
  }
}
