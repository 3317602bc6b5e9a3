// What can go wrong, in words: what it is, and what to do about it.

import { errorWords } from "./server_words.js";
import { say } from "./words.js";

const WORDS = {
  // of the phone
  microphone_refused: () => [
    say("The browser does not let this page use the microphone."),
    say("Allow the microphone in the address bar, then call or answer again."),
  ],
  no_microphone: () => [
    say("No microphone was found."),
    say("Plug in a headset, or select the deskphone, then call or answer again."),
  ],
  microphone_gone: () => [
    say("Your microphone is gone: the other side does not hear you."),
    say("Plug one in; the call goes on with it."),
  ],
  microphone_changed: () => [say("Your microphone is gone; the call goes on with another one.")],
  insecure_page: () => [
    say("The browser gives the microphone to secure pages only."),
    say("Open this page by its https address."),
  ],
  not_registered: () => [
    say("This browser's phone is not registered, so it cannot call."),
    say("Wait a moment, or select the deskphone."),
  ],
  line_lost: () => [
    say("The browser's phone lost its connection."),
    say("Calls ring on your deskphone until it is back; nothing needs to be done."),
  ],
  line_unreachable: ({ address }) => [
    say("The browser's phone does not reach the telephone system."),
    say("Either the network is in the way, or the browser does not trust the certificate. Open the address below in a new tab: if the browser warns, ask your administrator for a valid certificate, or accept it there; then come back."),
    address,
  ],
  line_refused: () => [
    say("The telephone system refused this browser's phone."),
    say("Log out and in again; if that does not help, tell your administrator."),
  ],
  // of calls
  answered_elsewhere: () => [say("The call was answered elsewhere.")],
  busy: () => [say("The line is busy.")],
  no_such_number: () => [say("Nobody has this number.")],
  not_taken: () => [say("The call was not taken.")],
  call_failed: () => [say("The call failed."), say("Try again.")],
  call_over: () => [say("The call is over already.")],
  call_refused: () => [say("The call was refused.")],
  incomplete_number: () => [say("The number is not complete."), say("Check it, then call again.")],
  not_reachable: () => [say("The other side cannot be reached.")],
  number_changed: () => [say("The number has changed.")],
  lines_busy: () => [say("All lines are busy."), say("Try again later.")],
  not_allowed: () => [say("Your telephone system does not allow this call.")],
  hold_refused: () => [say("The other side did not accept that; your call goes on.")],
  network_lost: ({ name }) => [
    say("Your call with {name} was lost with the network.", { name }),
    say("Call back once the network is there again."),
  ],
  transfer_refused: () => [say("The transfer was refused; your call goes on.")],
  try_again: () => [say("That did not work just now."), say("Try again.")],
  // of the connection
  offline: () => [
    say("The connection to the server is gone."),
    say("The page comes back by itself. If it stays away, calls ring on your deskphone."),
  ],
  no_owner: () => [
    say("No server looks after your calls just now."),
    say("Calls ring as before. Another server takes over by itself, mostly within seconds."),
  ],
  unreachable: () => [say("The server does not answer."), say("Check your network, then try again.")],
  log_out_in_call: () => [say("You are in a call in this window."), say("Logging out ends it.")],
  too_many_tabs: () => [say("The UC Assistant is open too often."), say("Close other windows, then log in again.")],
  no_account: () => [say("You have no Unique Account any more."), say("Ask your administrator.")],
  log_out_unsure: () => [
    say("The server could not confirm that your session is over."),
    say("If others use this computer, tell your administrator."),
  ],
  expired: () => [say("Your session is over."), say("Log in again.")],
};

/** The sentences for a trouble, such as { kind, address } or { kind: "refused", id, parameters }: [what, what to do, an address to open]. */
export function wordsFor({ kind, id, parameters, address = "", seconds = 0, name = "" }) {
  return WORDS[kind]?.({ address, seconds, name }) ?? errorWords(id, parameters);
}

const PASSING = new Set(["answered_elsewhere", "not_taken", "busy", "call_refused", "microphone_changed"]);

/** Whether the user should know of it at once, rather than when there is a pause. */
export function isUrgent({ kind }) {
  return !PASSING.has(kind);
}
