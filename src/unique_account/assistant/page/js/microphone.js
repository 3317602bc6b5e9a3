// The microphone of the browser's phone, and what happens when it is unplugged in a call.

import { microphoneAsked } from "./audio.js";
import { PhoneTrouble } from "./phone_trouble.js";

export async function microphone() {
  if (!navigator.mediaDevices) {
    throw new PhoneTrouble("insecure_page");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: microphoneAsked() });
  } catch (error) {
    throw new PhoneTrouble(error.name === "NotAllowedError" ? "microphone_refused" : "no_microphone");
  }
}

export function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.stop();
  }
}

/**
 * Keep a call with a microphone: when its own is unplugged, another one takes its place, at once or as soon as there is
 * one. `known` has the call's `session` and `stream`; `report(kind)` says what happened, `report(null)` that it is over.
 */
export function replaceWhenUnplugged(known, report) {
  for (const track of known.stream.getAudioTracks()) {
    // Browsers report the end of a track only where the page did not stop it itself.
    track.addEventListener("ended", () => replace(known, report), { once: true });
  }
}

async function replace(known, report) {
  let reported = "microphone_changed";
  while (!known.session.isEnded()) {
    try {
      await take(known, await microphone());
    } catch {
      reported = null;
      report("microphone_gone");
      await new Promise((resolve) => navigator.mediaDevices.addEventListener("devicechange", resolve, { once: true }));
      continue;
    }
    report(reported);
    replaceWhenUnplugged(known, report);
    return;
  }
}

async function take(known, stream) {
  if (known.session.isEnded()) {
    stopTracks(stream);
    return;
  }
  const [track] = stream.getAudioTracks();
  track.enabled = !known.session.isMuted().audio;
  const sender = known.session.connection.getSenders().find((one) => one.track?.kind === "audio");
  await sender.replaceTrack(track);
  stopTracks(known.stream);
  known.stream = stream;
}
