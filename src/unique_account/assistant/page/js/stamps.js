// Which messages are late, where several processes serve: those of an earlier owner, and those that were overtaken.

export const LATE = "late"; // drop this message
export const OLD_OWNER = "old owner"; // drop it, and leave the process that sent it
export const TAKEN = "taken";

export class Stamps {
  #epochs = new Map(); // the highest that was seen of each group
  #numbers = new Map(); // the last number of each kind of message about each number

  /** What to do with a message; a server that is alone stamps none. */
  judge(type, content, stamp) {
    if (!stamp) {
      return TAKEN;
    }
    const [group, epoch, number] = stamp;
    const highest = this.#epochs.get(group) ?? 0;
    if (epoch < highest) {
      return OLD_OWNER;
    }
    if (epoch > highest) {
      this.#epochs.set(group, epoch);
      this.#numbers.clear();
    }
    const subject = `${group} ${type} ${content?.number ?? ""}`;
    if (number <= (this.#numbers.get(subject) ?? 0)) {
      return LATE;
    }
    this.#numbers.set(subject, number);
    return TAKEN;
  }
}
