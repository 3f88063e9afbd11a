// What the parts say that a video file is made of, each with its length: whether it reaches its own end, and whether
// it is encrypted. Asked only of files of which no frame could be shown.

const MOST_PARTS = 10000;
const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const EBML_FORMATS = new Set(['webm', 'mkv']);
const MOOV = 0x6d6f6f76;
const MOST_INDEX = 16 * 1024 * 1024;
// A sample entry 'encv'; the element ContentEncAlgo with the value AES.
const ENCRYPTED_BOX = [0x65, 0x6e, 0x63, 0x76];
const ENCRYPTED_EBML = [0x47, 0xe1, 0x81, 0x05];

async function viewOf(blob, at, count) {
  return new DataView(await blob.slice(at, at + count).arrayBuffer());
}

// MP4 and MOV: a row of boxes, of which one is the index. Resolves to {whole, from, to}, the last two being where the
// index is, if there is one.
async function walkBoxes(blob) {
  const found = { whole: false };
  let at = 0;
  for (let parts = 0; at < blob.size && parts < MOST_PARTS; parts++) {
    const view = await viewOf(blob, at, 16);
    if (view.byteLength < 8) return found;
    let size = view.getUint32(0);
    if (size === 1) size = view.byteLength < 16 ? Infinity : Number(view.getBigUint64(8));
    if (size === 0) size = blob.size - at;
    const to = at + Math.max(8, size);
    if (view.getUint32(4) === MOOV) Object.assign(found, { from: at, to });
    at = to;
  }
  found.whole = found.from !== undefined && at <= blob.size;
  return found;
}

// An EBML number of one to eight bytes: its length is told by the first bit that is set.
function number(view, at, keepMark) {
  const first = view.getUint8(at);
  const length = Math.clz32(first) - 23;
  let value = keepMark ? first : first & (0xff >> length);
  let unknown = (first | (0xff00 >> length & 0xff)) === 0xff;
  for (let i = 1; i < length; i++) {
    value = value * 256 + view.getUint8(at + i);
    unknown &&= view.getUint8(at + i) === 0xff;
  }
  return { value, length, unknown };
}

// WebM and MKV: a header, then one segment, whose length a recording leaves unknown.
async function segmentIsWhole(blob) {
  let at = 0;
  for (const wanted of [EBML, SEGMENT]) {
    const view = await viewOf(blob, at, 16);
    if (view.byteLength < 12) return false;
    const id = number(view, 0, true);
    const size = number(view, id.length, false);
    if (id.value !== wanted) return true;
    at += id.length + size.length;
    if (size.unknown) return true;
    at += size.value;
  }
  return at <= blob.size;
}

// format: 'mp4', 'mov', 'webm' or 'mkv'. Resolves to false for a file that was cut short; never rejects.
export async function isWhole(blob, format) {
  try {
    return await (EBML_FORMATS.has(format) ? segmentIsWhole(blob) : walkBoxes(blob).then(({ whole }) => whole));
  } catch {
    return false;
  }
}

// Whether what describes the tracks names an encryption: the reader drops such tracks, or stops at them. Never rejects.
export async function isEncrypted(blob, format) {
  try {
    const ebml = EBML_FORMATS.has(format);
    const { from = 0, to = 0 } = ebml ? { to: MOST_INDEX } : await walkBoxes(blob);
    const bytes = new Uint8Array(await blob.slice(from, Math.min(to, from + MOST_INDEX)).arrayBuffer());
    const sign = ebml ? ENCRYPTED_EBML : ENCRYPTED_BOX;
    for (let at = bytes.indexOf(sign[0]); at >= 0; at = bytes.indexOf(sign[0], at + 1)) {
      if (sign.every((byte, i) => bytes[at + i] === byte)) return true;
    }
  } catch {
    // A file that cannot be read is named for that.
  }
  return false;
}
