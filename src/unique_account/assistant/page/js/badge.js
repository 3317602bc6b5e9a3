// What the tab says when it is behind others: its title, and its icon with the number of missed calls.

import { say } from "./words.js";

const NAME = "UC Assistant";
const MOST = 9; // digits that fit
const ICON = "icon.svg";
const SIZE = 64;
let shown = 0;
let picture = null;

/** The title: who calls, or else how many calls were missed. */
export function titleOf(caller, missed) {
  if (caller) {
    return `${say("{name} is calling", { name: caller })} · ${NAME}`;
  }
  return missed ? `(${missed}) ${NAME}` : NAME;
}

/** Show a number on the icon of the tab, and of the installed app; none for 0. */
export async function showCount(count) {
  if (count === shown) {
    return;
  }
  shown = count;
  (count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.())?.catch(() => {});
  const address = count ? await drawn(count) : ICON;
  if (count === shown) {
    document.querySelector("link[rel=icon]").href = address;
  }
}

async function drawn(count) {
  picture ??= await loaded();
  const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, SIZE, SIZE);
  context.fillStyle = "#c8102e";
  context.beginPath();
  context.arc(44, 44, 20, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = "#ffffff";
  context.font = "bold 32px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(count > MOST ? `${MOST}+` : count, 44, 46, 34);
  return canvas.toDataURL();
}

async function loaded() {
  const image = new Image(SIZE, SIZE);
  image.src = ICON;
  await image.decode();
  return image;
}
