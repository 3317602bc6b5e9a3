// What the server has this tab's phone do (C2), as for a command that another program of the user gave.

import { calledBy } from "./state.js";

const talks = ({ status }) => status === "talking" || status === "held";
const MEANT = {
  Answer: ({ status, direction }) => status === "ringing" && direction === "incoming",
  Hold: talks,
  SendDtmf: ({ status }) => status === "talking",
  ToggleMicrophone: talks,
};

/** What takes each `WebRTCCmd`, one after the other; a call that another tab has is that tab's to steer. */
export function commanded(store, actions) {
  const ACTIONS = {
    Answer: (call) => actions.answer(call),
    Hold: (call) => (call.status === "held" ? actions.resume(call) : actions.hold(call)),
    SendDtmf: (call, { key }) => actions.press(call, key),
    ToggleMicrophone: (call) => actions.mute(call, !call.muted),
  };
  let done = Promise.resolve();

  async function obey(order) {
    if (order.command === "Dial") {
      await actions.dialHere(order.destination);
    } else if (order.command in MEANT) {
      const call = meant(store.state, order);
      await (call && ACTIONS[order.command]({ ...call, where: "here" }, order));
    }
  }

  return (order) => (done = done.then(() => obey(order)));
}

/** The call of this tab that an order is about: it names the PBX's call, and what this tab knows of that is the other party. */
function meant(state, { command, uniqueId, sipCallId }) {
  const calls = state.own.filter(MEANT[command]);
  const peer = calledBy(state, uniqueId);
  return (
    calls.find(({ id }) => sipCallId && id.startsWith(sipCallId)) ??
    calls.find((call) => peer && call.peer === peer) ??
    (calls.length === 1 ? calls[0] : null)
  );
}
