// What the page knows, and what follows from it.

import { audioChoices } from "./audio.js";
import { shortcutsOn } from "./shortcuts.js";
import { say } from "./words.js";

export const NOBODY = Object.freeze({
  session: "none", // none, opening, open, lost
  retryAt: null,
  user: null, // { login, name, number }
  account: null, // the server's view of the account
  selecting: null, // the device that was chosen, until the server has answered
  line: null, // how this tab's phone registers; null if it must not
  iceServers: [],
  tabs: null,
  registration: "off", // off, registering, registered, failed
  own: [], // the calls of this browser's phone
  consultation: null, // { where, from, to }: an attended transfer under way; a deskphone's second call has no name yet
  colleagues: [],
  historyChanges: 0, // how often the server said that there is a new entry
  history: { entries: [], next: null, loading: false },
  historyOnly: "all", // or missed
  historyWords: "", // what is looked for
  seen: null, // until when missed calls were seen, in milliseconds
  directory: { people: [] }, // what the server found
  favourites: [],
  searched: "", // who is looked for among the colleagues
  finding: null, // { field, text, at }: a number field in which people are looked for, and which of them is marked
  quality: {}, // of each call, see quality.js
  speaksMuted: null, // the call in which the user speaks although muted
  help: false, // whether the keyboard's keys are shown
});

export function initialState(preferences) {
  return {
    ...NOBODY,
    language: preferences.language,
    theme: preferences.theme,
    place: "phone", // which part is shown where the window is narrow
    troubles: [],
    padOpen: false, // whether the dial pad has keys in a window that is not narrow
    keypadFor: null,
    transferring: null,
    soundBlocked: false, // until there is a gesture on the page
    asksNotifications: false,
    audio: audioChoices(),
    audioDevices: { microphones: [], speakers: [] },
    testingMicrophone: false,
    headsets: [], // names
    shortcuts: shortcutsOn(),
    prefill: null, // the number of a link that the page was opened with
  };
}

/**
 * The calls to show, those of this tab first. The server and the phone may both report one call. While the server is away
 * nothing is known of other windows, and of the deskphone only what was so before.
 */
export function callsOf(state) {
  const reported = state.account?.calls ?? [];
  const unmatched = [...state.own];
  const known = isKnown(state);
  const dialled = new Map();
  const others = [];
  for (const call of reported) {
    if (call.device === "webrtc") {
      const match = matching(unmatched, call);
      if (match) {
        unmatched.splice(unmatched.indexOf(match), 1);
        dialled.set(match, call.direction === match.direction ? match : dialledFor(match, call));
      } else if (call.status !== "ringing" && known) {
        others.push({ ...call, where: "elsewhere" });
      }
    } else {
      others.push({ ...call, where: "deskphone", stale: !known });
    }
  }
  return [...state.own.map((call) => ({ ...(dialled.get(call) ?? call), device: "webrtc", where: "here" })), ...others];
}

/**
 * The call of this browser's phone that is the reported one. One that is dialled for this phone comes in here, and the
 * server may report it before its number.
 */
function matching(own, { peer, direction }) {
  const isSame = (call) => call.peer === peer && call.direction === direction;
  const comesIn = (call) => direction === "outgoing" && call.direction === "incoming" && ["", call.peer].includes(peer);
  return own.find(isSame) ?? own.find(comesIn) ?? null;
}

/** Another program had this phone rung, to be picked up before the number is dialled (R14): who talks, the server knows. */
function dialledFor(own, { direction, status }) {
  return { ...own, direction, status: own.status === "talking" && status === "dialling" ? status : own.status };
}

/** Whether the account is as the server says now. */
export function isKnown({ session, account }) {
  return session === "open" && account !== null;
}

/** The device that the next call rings; null if it rings none, or that is not known. */
export function ringsOn(state) {
  return isKnown(state) ? state.account.nextCall.rings : null;
}

/** Whether this tab's phone has a call that ends with its session. */
export function isInCall({ own }) {
  return own.some(({ status }) => status !== "ringing");
}

/** Whether a call is the one that was begun to ask before a transfer. */
export function isConsultation({ consultation }, call) {
  if (!consultation || call.where !== consultation.where) {
    return false;
  }
  return consultation.to ? call.id === consultation.to : call.id !== consultation.from;
}

export function deviceInUse(state) {
  return state.account?.deviceInUse ?? "deskphone";
}

export const VOICEMAIL = "*98";

/** A name for a number, as far as one is known. */
export function nameOf(state, number) {
  if (number === VOICEMAIL) {
    return say("Voicemail");
  }
  return state.colleagues.find((colleague) => colleague.number === number)?.name ?? "";
}

/** What to call the other party of a call; an empty text if nothing is known. */
export function partyOf(state, call) {
  return call.peerName || nameOf(state, call.peer) || call.peer;
}

/** The other party of a call that the server knows; an empty text if it knows none of this id. */
export function calledBy(state, uniqueId) {
  return state.account?.calls.find(({ id }) => id === uniqueId)?.peer ?? "";
}
