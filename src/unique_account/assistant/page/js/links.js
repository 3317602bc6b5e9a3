// Telephone links: `tel:` addresses that this page is opened with. They fill the number field in, and never dial.

import { dialled } from "./number.js";

const PARAMETER = "tel";

/** The number of a `tel:` address; null if it has none. */
export function numberOfLink(link) {
  const [, text = ""] = link.match(/^(?:web\+)?tel:([^;?]*)/i) ?? [];
  try {
    return dialled(decodeURIComponent(text));
  } catch {
    return null; // a % that stands for nothing
  }
}

/** Take the number that the page was opened with, now or, as an installed app, while it is open. */
export function followLinks(found) {
  take(new URL(location.href), found);
  globalThis.launchQueue?.setConsumer(({ targetURL }) => targetURL && take(new URL(targetURL), found));
}

function take(address, found) {
  const number = numberOfLink(address.searchParams.get(PARAMETER) ?? "");
  if (address.href === location.href && address.searchParams.has(PARAMETER)) {
    history.replaceState(null, "", location.pathname); // a reload does not fill it in again
  }
  if (number) {
    found(number);
  }
}

export const HANDLES_LINKS = "registerProtocolHandler" in navigator;

/** Ask the browser to open `tel:` links with this page. */
export function handleLinks() {
  navigator.registerProtocolHandler("tel", `${new URL("./", location.href)}?${PARAMETER}=%s`);
}
