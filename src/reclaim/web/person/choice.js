// From what the fingerprinter found to what is sent, and to what the person reads about each file.

// What makes two files the same to us: their first signal.
function keyOf({ signals, exact }) {
  const [first] = signals.length ? signals : [exact];
  return `${first.type} ${first.value}`;
}

function framesOf(signals) {
  return signals.reduce((count, { frames = [] }) => count + frames.length, 0);
}

// results: of Fingerprinter.fingerprint. useExact: the person wants exact fingerprints for files that are too plain.
// mostFrames: how many frames of videos may be sent at once. Gives
//   lines: one for each file, {number, about, kind, item: n, why} or {number, about, why, like: number of the same file
//     before it}; why is a remark on an item, and the reason for a file that is left out
//   items: [{kind, signals}] in the order of the files
//   plain: how many files are too plain; later: how many have to wait for their frames' sake.
export function sortOut(results, { useExact, mostFrames }) {
  const firstWith = new Map();
  const lines = [];
  const items = [];
  let plain = 0;
  let later = 0;
  let frames = 0;
  for (const result of results) {
    const { number, about, ok, kind } = result;
    const line = { number, about, kind };
    lines.push(line);
    if (!ok) {
      line.why = result.reason;
      continue;
    }
    const key = keyOf(result);
    if (firstWith.has(key)) {
      line.why = 'same';
      line.like = firstWith.get(key);
      continue;
    }
    firstWith.set(key, number);
    if (result.poor) plain += 1;
    if (result.poor && !useExact) {
      line.why = result.why;
      line.plain = true;
      continue;
    }
    const signals = result.poor ? [result.exact] : result.signals;
    if (frames + framesOf(signals) > mostFrames) {
      later += 1;
      line.why = 'later';
      continue;
    }
    frames += framesOf(signals);
    items.push({ kind, signals });
    line.item = items.length;
    if (result.poor) line.why = 'exact';
    else if (result.only) line.why = `only-${result.only}`;
  }
  return { lines, items, plain, later };
}

// 32 random bytes as hexadecimal digits: what makes sending again safe.
export function newReceipt() {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
