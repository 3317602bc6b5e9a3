// Numbers, as the server understands them: one spelling for each, however people write them.

const SEPARATORS = /[\p{Zs}\p{Pd}\p{Cf}\t./]/gu;
const FROM_ABROAD = /^\(?(\+|00)/;
const NUMBER = /^\+?[0-9*#]{1,40}$/;

/** What is dialled for a text; null if it is no number. */
export function dialled(text) {
  let number = text.replace(SEPARATORS, "");
  if (FROM_ABROAD.test(number)) {
    number = number.replaceAll("(0)", "");
  }
  number = number.replace(/[()]/g, "");
  return NUMBER.test(number) ? number : null;
}
