// Sound devices: which microphone, speaker and ringer this browser uses, and how loud. Remembered in this browser.

const KEY = "audio";
const DEFAULTS = Object.freeze({ microphone: "", speaker: "", ringer: "", volume: 1, ringVolume: 1 });
const DEVICE = ["microphone", "speaker", "ringer"]; // an empty text is the system's own

let choices = read();
const playing = new Set();
let blocked = () => {};

export function audioChoices() {
  return choices;
}

/** Change some choices, e.g. `{ speaker: id }`; what plays now follows at once. */
export function chooseAudio(change) {
  choices = Object.freeze({ ...choices, ...change });
  localStorage.setItem(KEY, JSON.stringify(choices));
  playing.forEach(apply);
}

/** What `getUserMedia` is asked for: the chosen microphone, or another one if that is not plugged in. */
export function microphoneAsked() {
  return choices.microphone ? { deviceId: { ideal: choices.microphone } } : true;
}

/** Play an element of a call on the chosen speaker, at the chosen volume. */
export function playCall(element) {
  playing.add(element);
  apply(element);
  element.play().catch((error) => error.name === "NotAllowedError" && blocked());
}

export function stopCall(element) {
  element.pause();
  playing.delete(element);
}

/** Play what the browser refused to play before there was a gesture. */
export function playAgain() {
  for (const element of playing) {
    element.play().catch(() => {});
  }
}

/** Call `hook` when the browser refuses to play a call's sound before there is a gesture. */
export function onBlocked(hook) {
  blocked = hook;
}

/** Let a context of Web Audio play on a chosen device, where the browser can do that. */
export async function routeContext(context, what) {
  try {
    await context.setSinkId?.(choices[what]);
  } catch {
    await context.setSinkId("").catch(() => {}); // unplugged: the system's own instead
  }
}

/** The devices there are: `{ microphones, speakers }`, each `[{ id, label }]`; labels are empty without permission. */
export async function audioDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const of = (wanted) =>
    all.filter(({ kind, deviceId }) => kind === wanted && !["", "default", "communications"].includes(deviceId)).map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** Whether the browser lets a page choose where sound is played. */
export const CHOOSES_SPEAKER = "setSinkId" in HTMLMediaElement.prototype;

function apply(element) {
  element.volume = choices.volume;
  element.setSinkId?.(choices.speaker).catch(() => element.setSinkId("").catch(() => {}));
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
    const volume = (name) => (typeof kept[name] === "number" ? Math.min(1, Math.max(0, kept[name])) : 1);
    const devices = DEVICE.map((name) => [name, typeof kept[name] === "string" ? kept[name] : ""]);
    return Object.freeze({ ...DEFAULTS, ...Object.fromEntries(devices), volume: volume("volume"), ringVolume: volume("ringVolume") });
  } catch {
    return DEFAULTS;
  }
}
