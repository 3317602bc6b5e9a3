// When a notice has no cause any more.

import { isInCall } from "./state.js";

/** What went wrong with one thing that was tried: it ends when the next one is. */
export const OF_ATTEMPTS = [
  "refused", "call_failed", "call_over", "call_refused", "busy", "hold_refused", "incomplete_number", "lines_busy", "not_allowed",
  "not_reachable", "not_taken", "no_such_number", "number_changed", "transfer_refused", "try_again", "unreachable",
];
const OF_THE_LINE = ["line_lost", "line_unreachable", "line_refused", "not_registered"];
const OF_THE_MICROPHONE = ["microphone_refused", "no_microphone", "insecure_page"];
const OF_CALLS = ["microphone_gone", "microphone_changed", "log_out_in_call"];

/** The kinds of the notices whose cause ended with a change of the state. */
export function endedTroubles(state, before) {
  const phoneReported = state.own !== before.own || state.registration !== before.registration;
  const talks = state.own.some(({ status }) => status === "talking");
  const nobodyWaits = state.account?.selection === "deskphone" && before.account?.selection !== "deskphone";
  return [
    ...((phoneReported && state.registration === "registered") || nobodyWaits ? OF_THE_LINE : []),
    ...(phoneReported && (talks || (before.own.length && !state.own.length)) ? OF_THE_MICROPHONE : []),
    ...(phoneReported && !isInCall(state) ? OF_CALLS : []),
  ];
}
