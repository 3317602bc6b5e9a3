// The keys and lamps of a headset, as its HID report descriptor lays them out. Pure.
//
// Usages are the page in the upper half and the id in the lower (HID Usage Tables: Telephony Device, page 0x0b, and
// LED, page 0x08).

export const TELEPHONY = 0x0b;
export const KEYS = Object.freeze({ hook: 0x0b0020, mute: 0x0b002f });
export const LAMPS = Object.freeze({ offHook: 0x080017, mute: 0x080009, ring: 0x080018 });

/** Where keys and lamps are: { keys: [{ name, report, bit }], lamps: [the same], bytes: { [report]: length } }. */
export function layoutOf(collections) {
  const all = collections.flatMap(withChildren);
  const inputs = all.flatMap(({ inputReports = [] }) => inputReports);
  const outputs = all.flatMap(({ outputReports = [] }) => outputReports);
  return {
    keys: inputs.flatMap((report) => placed(report, KEYS)),
    lamps: outputs.flatMap((report) => placed(report, LAMPS)),
    bytes: Object.fromEntries(outputs.map((report) => [report.reportId, Math.ceil(bitsOf(report) / 8)])),
  };
}

/** Which keys a report says are pressed: { hook: true, … }, with those only that are in this report. */
export function keysIn({ keys }, reportId, data) {
  const here = keys.filter(({ report, bit }) => report === reportId && bit >> 3 < data.byteLength);
  return Object.fromEntries(here.map(({ name, bit }) => [name, Boolean((data.getUint8(bit >> 3) >> (bit & 7)) & 1)]));
}

/** The reports that set the lamps as `on` says: [[reportId, bytes]]. */
export function lampReports({ lamps, bytes }, on) {
  const reports = new Map();
  for (const { name, report, bit } of lamps) {
    const data = reports.get(report) ?? new Uint8Array(bytes[report]);
    data[bit >> 3] |= on[name] ? 1 << (bit & 7) : 0;
    reports.set(report, data);
  }
  return [...reports];
}

function withChildren(collection) {
  return [collection, ...(collection.children ?? []).flatMap(withChildren)];
}

function placed({ reportId, items = [] }, wanted) {
  const found = [];
  let bit = 0;
  for (const item of items) {
    const usages = usagesOf(item);
    for (const [name, usage] of Object.entries(wanted)) {
      const index = item.reportSize === 1 && !item.isArray ? usages.indexOf(usage) : -1;
      if (index >= 0 && index < item.reportCount) {
        found.push({ name, report: reportId, bit: bit + index });
      }
    }
    bit += item.reportSize * item.reportCount;
  }
  return found;
}

function usagesOf({ isRange, usageMinimum, usageMaximum, usages = [] }) {
  return isRange ? Array.from({ length: usageMaximum - usageMinimum + 1 }, (_, index) => usageMinimum + index) : usages;
}

function bitsOf({ items = [] }) {
  return items.reduce((bits, { reportSize, reportCount }) => bits + reportSize * reportCount, 0);
}
