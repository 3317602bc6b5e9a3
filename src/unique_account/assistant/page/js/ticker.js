// A worker that ticks for the page: browsers slow down the timers of a page in the background, and not those of a worker.

const EVERY = 15_000; // milliseconds

setInterval(() => postMessage(null), EVERY);
