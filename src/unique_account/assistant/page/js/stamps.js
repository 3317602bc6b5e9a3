// Which messages are late, where several processes serve: those of an earlier owner, and those that were overtaken.

export const LATE = "late"; // drop this message
export const OLD_OWNER = "old owner"; // drop it, and leave the process that sent it
export const TAKEN = "taken";

export class Stamps {
  #epoch = 0; // the highest that was seen
  #numbers = new Map(); // the last number of each kind of message about each number

  /** What to do with a message; a server that is alone stamps none. */
  judge(type, content, stamp) {
    if (!stamp) {
      return TAKEN;
    }
    const [epoch, number] = stamp;
    if (epoch < this.#epoch) {
      return OLD_OWNER;
    }
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#numbers.clear();
    }
    const subject = `${type} ${content?.number ?? ""}`;
    if (number <= (this.#numbers.get(subject) ?? 0)) {
      return LATE;
    }
    this.#numbers.set(subject, number);
    return TAKEN;
  }
}
