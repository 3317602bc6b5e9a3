// Words for what the server says by an id with parameters. Its own sentences are for logs, and are never shown.

import { say } from "./words.js";

/** The steps of a decision where a call goes (R17). */
export const REASONS = {
  nobody_logged_in: () => say("Nobody is logged in, so the deskphone rings"),
  deskphone_selected: () => say("The deskphone is selected"),
  webrtc_selected: () => say("The browser is selected"),
  do_not_disturb: () => say("Do not disturb is on"),
  forwarded: () => say("All calls are forwarded"),
  no_call_left: () => say("There are as many calls as may be at once"),
  webrtc_rings: () => say("The browser's phone is registered, so the browser rings"),
  deskphone_rings: () => say("So the deskphone rings"),
  webrtc_not_registered: () => say("The browser's phone is not registered"),
  deskphone_not_registered: () => say("The deskphone is not registered"),
  webrtc_unknown: () => say("Nothing is known of the browser's phone yet"),
  deskphone_unknown: () => say("Nothing is known of the deskphone yet, so it is tried"),
  nothing_rings: () => say("No device can ring"),
  no_answer_rule: () => say("So the call goes where calls go that nobody answers"),
  busy_rule: () => say("So the call goes where calls go while you are busy"),
  congestion_rule: () => say("So the call goes where calls go while all lines are busy"),
  unavailable_rule: () => say("So the call goes where calls go while no device can ring"),
  forwarded_too_often: () => say("The call was forwarded too often"),
  goes_to_number: ({ number }) => say("The call goes to {number}", { number }),
  goes_to_voicemail: () => say("The call goes to your voicemail"),
  goes_to_refusal: () => say("The call is refused"),
};

/** What was refused or did not work: what, and what to do. */
export const ERRORS = {
  // of the account
  not_dialable: ({ number }) => [say("{number} cannot be dialled.", { number }), say("A number has only digits, *, # and a leading +.")],
  not_kept: () => [say("This is too long for a number, or has characters that no number has.")],
  not_logged_in: () => [say("You are logged out."), say("Log in again.")],
  no_destination: () => [say("A forward needs a number."), say("Enter the number, then switch the forward on.")],
  no_mailbox: () => [say("You have no voicemail."), say("Forward to a number.")],
  own_number: ({ number }) => [say("{number} is your own number.", { number }), say("Forward to another number.")],
  refused: () => [say("That is not allowed.")],
  // of calls
  call_over: () => [say("The call is over already.")],
  command_failed: () => [say("That did not work."), say("Try again.")],
  deskphone_keys: () => [say("Your deskphone does this by its own keys.")],
  held_already: () => [say("The call is on hold already.")],
  last_device: () => [say("The call rings on the last device already.")],
  not_answered: () => [say("The call is not answered yet.")],
  not_held: () => [say("The call is not on hold.")],
  not_one_phone: () => [say("Only two calls of one phone can be connected.")],
  not_ready: () => [say("Your account is not known here yet."), say("Wait a moment, then try again.")],
  not_ringing: () => [say("The call does not ring any more.")],
  not_two_parties: () => [say("This cannot be done in a call with several people.")],
  no_call: () => [say("There is no call for this.")],
  no_line_here: () => [say("Calls ring in other windows of yours, not in this one."), say("Close one of them.")],
  no_remote_control: () => [say("Your deskphone cannot be steered from here."), say("Use its own keys.")],
  no_such_call: () => [say("The call is over already.")],
  no_such_number: () => [say("Nobody has this number.")],
  no_transfer: () => [say("No transfer is under way.")],
  other_device: () => [say("This call is on one device, and new calls go out from the other one."), say("Select the device of the call, then transfer it.")],
  party_gone: () => [say("The parties are not connected, since one of them is gone.")],
  pbx_refuses: () => [say("The telephone system does not do that."), say("Try again; if it stays so, tell your administrator.")],
  phone_does_not_ring: () => [say("Your deskphone does not ring."), say("See whether it is connected.")],
  phone_not_registered: () => [say("Your deskphone is not registered, so it cannot ring."), say("See whether it is connected, or select this browser.")],
  same_party: () => [say("Both calls are with the same party.")],
  too_many_questions: () => [say("The server has too much to do for you just now."), say("Wait a moment, then try again.")],
  which_call: () => [say("There is more than one call for this.")],
  wrong_status: () => [say("The call changed meanwhile."), say("Try again.")],
  // of the server
  invalid_message: () => [say("The server did not understand this page."), say("Load the page again.")],
  logout_not_stored: () => [say("The server could not confirm that your session is over."), say("If others use this computer, tell your administrator.")],
  not_stored: () => [say("The server can store nothing at the moment."), say("Try again later.")],
  no_account: () => [say("You have no Unique Account any more."), say("Ask your administrator.")],
  pbx_unreachable: () => [say("The telephone system cannot be reached."), say("Try again later.")],
  session_over: () => [say("Your session is over."), say("Log in again.")],
  too_many_attempts: ({ seconds }) => [say("Too many attempts failed."), say("Try again in {seconds} seconds.", { seconds })],
  too_many_log_ins: () => [say("Too many people log in just now."), say("Wait a moment, then try again.")],
  unhandled: () => [say("Something went wrong on the server."), say("Try again; if it stays so, tell your administrator.")],
  wrong_origin: () => [say("The server does not take this page."), say("Open it by the address that your administrator gave you.")],
  wrong_password: () => [say("User name and password do not match.")],
};

/** A step of a decision in words; what a newer server says is left out. */
export function reasonWords({ id, parameters = {} }) {
  return REASONS[id]?.(parameters) ?? null;
}

/** An error in words; for one of a newer server, that something did not work. */
export function errorWords(id, parameters = {}) {
  return (ERRORS[id] ?? ERRORS.command_failed)(parameters);
}
