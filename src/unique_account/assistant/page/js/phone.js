// Which phone the page has. The demo puts another file in the place of this one, with a phone that is played.

export { Phone } from "./sip.js";
