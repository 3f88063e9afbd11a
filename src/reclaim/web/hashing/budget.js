// How much memory a picture may take. A page that takes more than a device has is closed by it without a word, with
// everything that the person did on it.

const GIB = 2 ** 30;
const SHARE = 0.3;
const ALONE = 128 * 2 ** 20;

// bytes: what decoding would take. Whether this device has so much; a browser that does not say how much memory there
// is gets the benefit of the doubt.
export function fits(bytes) {
  return bytes <= (navigator.deviceMemory === undefined ? Infinity : navigator.deviceMemory * GIB * SHARE);
}

// Resolves as work() does. Of what takes much memory, one is done at a time, whichever Worker asks.
export function inTurn(bytes, work) {
  if (bytes < ALONE || navigator.locks === undefined) return work();
  return navigator.locks.request('large', work);
}
