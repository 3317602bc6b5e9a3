// Why a call of the browser's phone ended before it began: the telephone system's cause, by the names of js/troubles.js.

const BY_CAUSE = {
  1: "no_such_number", 2: "no_such_number", 3: "no_such_number", 17: "busy", 18: "not_taken", 19: "not_taken",
  20: "not_reachable", 21: "call_refused", 22: "number_changed", 27: "not_reachable", 28: "incomplete_number",
  34: "lines_busy", 38: "lines_busy", 41: "lines_busy", 42: "lines_busy", 44: "lines_busy", 52: "not_allowed",
  57: "not_allowed",
};
const BY_STATUS = {
  403: "call_refused", 404: "no_such_number", 408: "not_taken", 410: "number_changed", 480: "not_taken",
  484: "incomplete_number", 486: "busy", 487: "not_taken", 502: "not_reachable", 503: "lines_busy", 504: "not_reachable",
  600: "busy", 603: "call_refused", 604: "no_such_number",
};

/** The trouble for a call that the other side did not take; `message` is the SIP answer or request that ended it. */
export function causeOf(message) {
  const [, cause] = /Q\.850[^,]*cause\s*=\s*(\d+)/i.exec(reasonOf(message)) ?? [];
  return BY_CAUSE[cause] ?? BY_STATUS[message?.status_code] ?? "not_taken";
}

export function wasTakenElsewhere(message) {
  return /cause\s*=\s*(200|26)\b/.test(reasonOf(message));
}

function reasonOf(message) {
  return message?.getHeader?.("Reason") ?? "";
}
