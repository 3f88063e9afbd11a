// One picture to its signal: decode, luma, 512 x 512 square, turn, PDQ; or to its exact hash if there is too little in it
// for a signal.

import { eachLumaStrip, Refusal, withPicture } from './decode.js';
import { pdq } from './pdq.js';
import { fetched } from './fetched.js';
import { SquareResizer } from './resize.js';
import { trim } from './trim.js';
import { turned } from './turned.js';
import { whyPoor } from './poor.js';

export const SIDE = 512;

// bitmap: an ImageBitmap, which is closed. Returns SIDE * SIDE bytes.
export function squareLuma(bitmap) {
  try {
    const resizer = new SquareResizer(bitmap.width, bitmap.height, SIDE);
    eachLumaStrip(bitmap, (luma, rows, stride) => resizer.add(luma, rows, stride));
    return resizer.finish();
  } finally {
    bitmap.close();
  }
}

// Resolves to {square, width, height}: SIDE * SIDE bytes of luma and the size of the whole, all upright. Rejects with
// Refusal.
export function readSquare(blob) {
  return withPicture(blob, async (picture) => {
    const { width, height, degrees, flip } = picture;
    const resizer = new SquareResizer(width, height, SIDE);
    await picture.eachStrip((luma, rows, stride) => resizer.add(luma, rows, stride));
    const square = turned(resizer.finish(), SIDE, degrees, flip);
    return degrees % 180 === 0 ? { square, width, height } : { square, width: height, height: width };
  });
}

// The picture inside bars, captions or a screenshot: {square, width, height} as of readSquare and box, {left, top, width,
// height} in shares of the whole; null where there is none.
function partInside({ square, width, height }) {
  const found = trim(square);
  if (found === null) return null;
  const { left, top, right, bottom } = found;
  const [across, down] = [right - left, bottom - top];
  const resizer = new SquareResizer(across, down, SIDE);
  resizer.add(square.subarray(top * SIDE + left), down, SIDE);
  const box = { left: left / SIDE, top: top / SIDE, width: across / SIDE, height: down / SIDE };
  return { square: resizer.finish(), width: Math.round(box.width * width), height: Math.round(box.height * height), box };
}

// {value, quality, why} of a picture as readSquare gives it, why being as of whyPoor.
function signalOf(read) {
  const { value, quality } = pdq(read.square, SIDE, SIDE);
  return { value, quality, why: whyPoor({ ...read, value, quality }) };
}

async function exact(blob) {
  // Loaded for the first poor picture: most are not.
  const { md5 } = await fetched(() => import('./md5.js'));
  return { type: 'md5', value: await md5(blob) };
}

// Resolves to {ok: true, kind: 'picture', about: {width, height}, signals: [{type: 'pdq', value, quality}]}; for a picture
// that a signal would not tell from others, with no signals but {poor: true, why: 'flat' | 'small' | 'text',
// exact: {type: 'md5', value}}; either with trimmed: {value, quality, box} where a part inside has a good signal of its
// own; or to {ok: false, reason}. Never rejects.
export async function fingerprintPicture(blob) {
  try {
    const read = await readSquare(blob);
    const { value, quality, why } = signalOf(read);
    const found = { ok: true, kind: 'picture', about: { width: read.width, height: read.height } };
    if (why === null) found.signals = [{ type: 'pdq', value, quality }];
    else Object.assign(found, { poor: true, why, signals: [], exact: await exact(blob) });
    const part = partInside(read);
    const inside = part && signalOf(part);
    if (inside && inside.why === null && inside.value !== value) {
      found.trimmed = { value: inside.value, quality: inside.quality, box: part.box };
    }
    return found;
  } catch (error) {
    return { ok: false, reason: error instanceof Refusal ? error.reason : 'unreadable' };
  }
}

// Resolves to {whole, part}: the descriptors of a picture and of the part inside, each {descriptors, placement}, or null.
// Rejects where the file cannot be read or the program be had.
export async function describePicture(blob) {
  const { described } = await import('./descriptors.js');
  const read = await readSquare(blob);
  const part = partInside(read);
  return { whole: described(read), part: part && described(part) };
}
