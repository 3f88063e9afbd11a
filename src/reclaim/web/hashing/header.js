// What the first bytes of a file say about the picture in it, read before anything is decoded: a small file can
// declare a picture larger than the memory of the device, and some browsers draw half a picture from half a file.

const HEAD = 65536;
const TAIL = 12;
const MOST_BOXES = 10000;
const SIGN = 4096;
const PICTURE_BRANDS = [
  [/^(?:avif|avis)$/, 'avif'],
  [/^(?:hei[cxms]|hev[cx]|mif1|msf1)$/, 'heic'],
];
const QUICKTIME = /^(?:moov|mdat|wide|free|skip|pnot)$/;

// The format of an ISO base media file by its brands: the one it is, and those it can also be read as.
function ofBrands(text) {
  const length = text.charCodeAt(2) * 256 + text.charCodeAt(3);
  const brands = [];
  for (let at = 8; at < Math.min(length, text.length); at += 4) if (at !== 12) brands.push(text.slice(at, at + 4));
  for (const [brand, format] of PICTURE_BRANDS) if (brands.some((each) => brand.test(each))) return format;
  return brands[0] === 'qt  ' ? 'mov' : 'mp4';
}

// head: Uint8Array of a file's first bytes. Returns 'jpeg', 'png', 'webp', 'gif', 'avif', 'heic', 'bmp', 'tiff', 'mp4',
// 'mov', 'webm', 'mkv' or 'unknown'.
export function formatOf(head) {
  let text = '';
  for (const byte of head.subarray(0, SIGN)) text += String.fromCharCode(byte);
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (/^GIF8[79]a/.test(text)) return 'gif';
  if (/^RIFF.{4}WEBP/s.test(text)) return 'webp';
  if (/^(?:II[*+]\0|MM\0[*+])/.test(text)) return 'tiff';
  if (/^BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0/s.test(text)) return 'bmp';
  if (text.startsWith('\x1a\x45\xdf\xa3')) return /\x42\x82[\x81-\x8f]webm/.test(text) ? 'webm' : 'mkv';
  const box = text.slice(4, 8);
  if (box === 'ftyp') return ofBrands(text);
  return QUICKTIME.test(box) ? 'mov' : 'unknown';
}

// blob: a Blob or File. Resolves to one of the words of formatOf. Rejects if the file cannot be read.
export async function sniff(blob) {
  return formatOf(new Uint8Array(await blob.slice(0, SIGN).arrayBuffer()));
}

function matches(bytes, at, text) {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

async function read(blob, from, to) {
  return new Uint8Array(await blob.slice(from, to).arrayBuffer());
}

// Walks the segments of a JPEG. The size is in the first start-of-frame; the picture is complete when its
// end-of-image marker is reached, which a thumbnail's own marker inside a segment cannot be mistaken for.
function walkJpeg(bytes) {
  const view = new DataView(bytes.buffer);
  const found = { width: 0, height: 0, complete: false };
  let at = 2;
  while (at + 9 <= bytes.length || (at + 2 <= bytes.length && bytes[at + 1] === 0xd9)) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) {
      at = bytes.indexOf(0xff, at + 1);
      if (at < 0) break;
    } else if (marker === 0xff) {
      at += 1;
    } else if (marker === 0xd9) {
      found.complete = true;
      break;
    } else {
      const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
      if (frame && found.width === 0) {
        found.height = view.getUint16(at + 5);
        found.width = view.getUint16(at + 7);
        found.planes = planesOf(bytes.subarray(at + 9), marker);
      }
      at += 2 + view.getUint16(at + 2);
    }
  }
  return found;
}

// Bytes a pixel of a JPEG whose brightness and colour stay apart, and of what a progressive one needs besides; brightness
// alone and four inks are made into colours.
function planesOf(frame, marker) {
  const colours = frame[0];
  let samples = 0;
  let largest = 1;
  for (let i = 0; i < colours; i++) {
    const factors = frame[2 + 3 * i];
    const each = (factors >> 4) * (factors & 15);
    samples += each;
    largest = Math.max(largest, each);
  }
  const stored = colours === 3 ? samples / largest : 4;
  const progressive = (marker & 3) === 2 || marker === 0xce;
  return progressive ? stored + (2 * samples) / largest : stored;
}

async function jpeg(blob, head, tail) {
  const start = walkJpeg(head);
  if (start.width && tail[TAIL - 2] === 0xff && tail[TAIL - 1] === 0xd9) return { ...start, complete: true };
  return walkJpeg(await read(blob, 0, blob.size));
}

async function png(blob, view, tail) {
  const size = { width: view.getUint32(16), height: view.getUint32(20), planes: 4 };
  if (matches(tail, TAIL - 8, 'IEND')) return { ...size, complete: true };
  const whole = new DataView(await blob.arrayBuffer());
  let at = 8;
  while (at + 12 <= whole.byteLength && whole.getUint32(at + 4) !== 0x49454e44) at += 12 + whole.getUint32(at);
  return { ...size, complete: at + 8 <= whole.byteLength };
}

function webp(blob, head, view) {
  const complete = blob.size >= 8 + view.getUint32(4, true);
  const at24 = (at) => 1 + view.getUint16(at, true) + head[at + 2] * 65536;
  if (matches(head, 12, 'VP8X')) return { width: at24(24), height: at24(27), complete };
  if (matches(head, 12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, complete };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, complete };
}

function bmp(blob, view) {
  const early = view.getUint32(14, true) === 12;
  const width = early ? view.getUint16(18, true) : Math.abs(view.getInt32(18, true));
  const height = early ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  return { width, height, planes: 4, complete: true, short: blob.size < view.getUint32(2, true) };
}

// AVIF and HEIC: a row of boxes that each say how long they are. The largest of the sizes named in the index is that of
// the picture: the others are of its thumbnail and of the tiles that it is made of.
async function boxes(blob, head, view) {
  const found = { width: 0, height: 0, complete: true };
  for (let at = head.indexOf(0x69); at >= 0 && at + 16 <= head.length; at = head.indexOf(0x69, at + 1)) {
    if (!matches(head, at, 'ispe')) continue;
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (width * height > found.width * found.height) Object.assign(found, { width, height });
  }
  let at = 0;
  for (let count = 0; at < blob.size && count < MOST_BOXES; count++) {
    const box = new DataView((await read(blob, at, at + 16)).buffer);
    const size = box.byteLength < 8 ? Infinity : box.getUint32(0);
    if (size === 0) return found;
    at += Math.max(8, size === 1 && box.byteLength === 16 ? Number(box.getBigUint64(8)) : size);
  }
  found.complete = at <= blob.size;
  return found;
}

// blob: a Blob or File. Resolves to
//   format    a word of formatOf
//   width, height   as stored; 0 means "not known before decoding"
//   complete  false for a file that was cut short
//   short     true if it looks so, which is to be believed only of a file that cannot be decoded
//   planes    bytes a pixel that a decoder needs which leaves the pixels as they are stored; absent if that is not known
// or to null if it is no kind of picture known here. Rejects if the file cannot be read.
export async function readHeader(blob) {
  const head = await read(blob, 0, HEAD);
  const format = formatOf(head);
  if (head.length < 32) return null;
  const view = new DataView(head.buffer);
  const tail = await read(blob, blob.size - TAIL, blob.size);
  switch (format) {
    case 'jpeg':
      return { format, ...(await jpeg(blob, head, tail)) };
    case 'png':
      return { format, ...(await png(blob, view, tail)) };
    case 'webp':
      return { format, ...webp(blob, head, view) };
    case 'gif': {
      const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
      return { format, ...size, planes: 4, complete: true, short: tail[TAIL - 1] !== 0x3b };
    }
    case 'bmp':
      return { format, ...bmp(blob, view) };
    case 'avif':
    case 'heic':
      return { format, ...(await boxes(blob, head, view)) };
    case 'tiff':
      return { format, width: 0, height: 0, complete: true };
    default:
      return null;
  }
}
