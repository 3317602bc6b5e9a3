// How loud a microphone is: a number from 0 (silent) to 1, ten times a second.

const EVERY = 100; // milliseconds
const FULL = 0.35; // the root mean square that counts as 1; speech near a microphone comes to a third of it

/** Report the level of a stream by `report(level)`; returns what ends that. */
export function measure(stream, report) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    report(levelOf(samples));
  }, EVERY);
  return () => {
    clearInterval(timer);
    context.close();
  };
}

/** The level of samples between -1 and 1. */
export function levelOf(samples) {
  const square = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.min(1, Math.sqrt(square) / FULL);
}
