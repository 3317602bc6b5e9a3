/** What went wrong with the phone, by the name under which the page has words for it. */
export class PhoneTrouble extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}
