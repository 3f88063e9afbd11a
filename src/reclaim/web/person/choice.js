// From what the fingerprinter found to what is sent, and to what the person reads about each file.

// What makes two files the same to us: their first signal.
function keyOf({ signals, exact }) {
  const [first] = signals.length ? signals : [exact];
  return `${first.type} ${first.value}`;
}

function framesOf(signals) {
  return signals.reduce((count, { frames = [] }) => count + frames.length, 0);
}

// What is sent of a picture beside its first signal: that of the part inside, descriptors, and that it is ordinary.
function pictureOf({ number, poor, signals, trimmed }, { untrimmed, described, ordinary }) {
  const inside = trimmed && !untrimmed.has(number) ? { value: trimmed.value, quality: trimmed.quality } : null;
  const item = { kind: 'picture', signals: poor ? [{ type: 'pdq', ...inside }] : signals };
  if (inside && !poor) item.trimmed = inside;
  const { whole = null, part = null } = described.get(number) || {};
  // Of a screenshot's own parts descriptors would find other people's screenshots.
  Object.assign(item, inside ? part : whole);
  if (ordinary.has(number)) item.source = true;
  return item;
}

// Whether a file can have descriptors: not one that is known by the hash of the file alone.
export function canBeDescribed({ kind, signals = [], trimmed }) {
  return kind === 'picture' ? Boolean(signals.length || trimmed) : signals.some(({ type }) => type === 'vpdq');
}

// results: of Fingerprinter.fingerprint. useExact: the person wants exact fingerprints for files that are too plain.
// mostFrames: how many frames of videos may be sent at once. By numbers of files: untrimmed, a Set of those whose part
// inside is not wanted; described, a Map to what Fingerprinter.describe found; ordinary, a Set of source photographs. Gives
//   lines: one for each file, {number, about, kind, item: n, why} or {number, about, why, like: number of the same file
//     before it}; why is a remark on an item, and the reason for a file that is left out; inside is the part of a picture
//     that may be used too, {left, top, width, height} in shares of it, and pdq says that a picture is sent with one
//   items: [{kind, signals, …}] in the order of the files
//   plain: how many files are too plain; later: how many have to wait for their frames' sake.
export function sortOut(results, { useExact, mostFrames, untrimmed, described, ordinary }) {
  const firstWith = new Map();
  const lines = [];
  const items = [];
  let plain = 0;
  let later = 0;
  let frames = 0;
  for (const result of results) {
    const { number, about, ok, kind, trimmed } = result;
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
    if (trimmed) line.inside = trimmed.box;
    // A picture that is too plain as a whole may have a part inside that is not.
    const usePart = Boolean(trimmed) && !untrimmed.has(number);
    const tooPlain = result.poor && !usePart;
    // An ordinary picture is let look for by its looks alone: by its file, websites would block it wherever it is.
    const exact = tooPlain && !ordinary.has(number);
    if (exact) plain += 1;
    if (tooPlain && !(exact && useExact)) {
      line.why = result.why;
      line.plain = true;
      continue;
    }
    if (kind === 'picture' && !tooPlain) {
      items.push(pictureOf(result, { untrimmed, described, ordinary }));
      line.pdq = true;
    } else {
      const signals = tooPlain ? [result.exact] : result.signals;
      if (frames + framesOf(signals) > mostFrames) {
        later += 1;
        line.why = 'later';
        continue;
      }
      frames += framesOf(signals);
      const { stills = [] } = described.get(number) || {};
      items.push(stills.length ? { kind, signals, stills } : { kind, signals });
    }
    line.item = items.length;
    if (tooPlain) line.why = 'exact';
    else if (result.only) line.why = `only-${result.only}`;
    else if (line.pdq && ordinary.has(number)) line.why = 'ordinary';
  }
  return { lines, items, plain, later };
}

// 32 random bytes as hexadecimal digits: what makes sending again safe.
export function newReceipt() {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
