// What the server reports, as changes of the page's state.

import { directoryChange } from "./directory.js";

/** The fields of the state that a message changes; null for a message that changes none. */
export function changeOf(type, message, state) {
  return CHANGES[type]?.(message, state) ?? directoryChange(type, message, state);
}

const CHANGES = {
  UserConfigUpdate: ({ fullName }, { user }) => (fullName === null ? {} : { user: { ...user, name: fullName } }),

  SipLine: (line) => ({ line: line && lineOf(line) }),

  IceConfig: ({ stunConfig, turnConfig }) => ({ iceServers: [stunConfig, turnConfig].filter(Boolean).map(iceServerOf) }),

  UniqueAccount: (account, { user }) => ({ user: { ...user, number: account.number }, account: accountOf(account) }),

  Tabs: (tabs) => ({ tabs }),

  Colleagues: ({ entries }) => ({
    colleagues: entries.map(({ status, ...one }) => ({ ...one, presence: status })),
  }),

  PhoneHintStatusEvent: ({ number, status }, { colleagues }) => ({
    colleagues: colleagues.map((one) => (one.number === number ? { ...one, presence: status } : one)),
  }),

  ColleagueDiversion: ({ number, ...diversion }, { colleagues }) => ({
    colleagues: colleagues.map((one) => (one.number === number ? { ...one, ...diversion } : one)),
  }),

  HistoryChanged: (_, { historyChanges }) => ({ historyChanges: historyChanges + 1 }),

  HistoryPage: ({ entries, next, cursor }, { history }) => ({ history: historyWith(history, entries.map(entryOf), next, cursor) }),
};

function lineOf({ url, uri, username, password, realm }) {
  return { url, uri, name: username, password, realm };
}

function iceServerOf({ urls, username, credential }) {
  return username ? { urls, username, credential } : { urls };
}

function accountOf(account) {
  return {
    ...account,
    calls: account.calls.map(callOf),
  };
}

function callOf({ uniqueId, device, direction, status, otherDN, otherName, answered }) {
  return { id: uniqueId, device, direction, status, peer: otherDN, peerName: otherName, answered };
}

function entryOf({ id, start, ended, status, direction, device, peer, peerName, duration }) {
  return { id, start, ended, status, direction, device, peer, peerName, duration };
}

/** A history with one more page: an older one at its end, or the newest again in the place of what it replaces. */
function historyWith({ entries: known, next: knownNext }, entries, next, cursor) {
  const ids = new Set(entries.map(({ id }) => id));
  if (cursor !== null) {
    return { entries: [...known.filter(({ id }) => !ids.has(id)), ...entries], next, loading: false };
  }
  const last = known.findLastIndex(({ id }) => ids.has(id));
  const older = last < 0 ? [] : known.slice(last + 1); // without an overlap there may be calls between the two
  return { entries: [...entries, ...older], next: older.length ? knownNext : next, loading: false };
}
