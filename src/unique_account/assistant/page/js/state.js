// What the page knows, and what follows from it.

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
  history: { entries: [], next: null, loading: false },
});

export function initialState(preferences) {
  return {
    ...NOBODY,
    language: preferences.language,
    theme: preferences.theme,
    place: "phone", // which part is shown where the window is narrow
    troubles: [],
    keypadFor: null,
    transferring: null,
  };
}

/** The calls to show, those of this tab first. The server and the phone may both report one call. */
export function callsOf(state) {
  const reported = state.account?.calls ?? [];
  const unmatched = [...state.own];
  const others = [];
  for (const call of reported) {
    if (call.device === "webrtc") {
      const match = unmatched.findIndex((own) => own.peer === call.peer && own.direction === call.direction);
      if (match >= 0) {
        unmatched.splice(match, 1);
      } else if (call.status !== "ringing") {
        others.push({ ...call, where: "elsewhere" });
      }
    } else {
      others.push({ ...call, where: "deskphone" });
    }
  }
  return [...state.own.map((call) => ({ ...call, device: "webrtc", where: "here" })), ...others];
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

/** A name for a number, as far as one is known. */
export function nameOf(state, number) {
  return state.colleagues.find((colleague) => colleague.number === number)?.name ?? "";
}

/** The other party of a call that the server knows; an empty text if it knows none of this id. */
export function calledBy(state, uniqueId) {
  return state.account?.calls.find(({ id }) => id === uniqueId)?.peer ?? "";
}
