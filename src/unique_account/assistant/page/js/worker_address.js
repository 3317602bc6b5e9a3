// The addresses of our own workers, as a browser with trusted types wants them.

const WORKERS = new Set(["service-worker.js", "js/ticker.js"]);
const policy = globalThis.trustedTypes?.createPolicy("workers", { createScriptURL: own });

export function workerAddress(address) {
  return policy?.createScriptURL(address) ?? own(address);
}

function own(address) {
  if (!WORKERS.has(address)) {
    throw new TypeError(`${address} is no worker of this page`);
  }
  return address;
}
