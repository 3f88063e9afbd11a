// From what the fingerprinter found to what is sent, and to what the person reads about each file.

// results: of Fingerprinter.fingerprint. Gives
//   lines: one for each file, {number, picture: n} or {number, why, like: number of the same file before it}
//   signals: [{type, value, quality}] in the order of the files.
export function sortOut(results, poor) {
  const firstWith = new Map();
  const lines = [];
  const signals = [];
  for (const { number, ok, reason, type, value, quality } of results) {
    if (!ok) {
      lines.push({ number, why: reason });
    } else if (quality < poor) {
      lines.push({ number, why: 'poor' });
    } else if (firstWith.has(value)) {
      lines.push({ number, why: 'same', like: firstWith.get(value) });
    } else {
      firstWith.set(value, number);
      signals.push({ type, value, quality });
      lines.push({ number, picture: signals.length });
    }
  }
  return { lines, signals };
}

// 32 random bytes as hexadecimal digits: what makes sending again safe.
export function newReceipt() {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
