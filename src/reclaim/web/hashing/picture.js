// One picture to its signal: decode, luma, 512 x 512 square, turn, PDQ; or to its exact hash if there is too little in it
// for a signal.

import { eachLumaStrip, Refusal, withPicture } from './decode.js';
import { pdq } from './pdq.js';
import { fetched } from './fetched.js';
import { SquareResizer } from './resize.js';
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

async function exact(blob) {
  // Loaded for the first poor picture: most are not.
  const { md5 } = await fetched(() => import('./md5.js'));
  return { type: 'md5', value: await md5(blob) };
}

// Resolves to {ok: true, kind: 'picture', about: {width, height}, signals: [{type: 'pdq', value, quality}]}; for a picture
// that a signal would not tell from others, with no signals but {poor: true, why: 'flat' | 'small' | 'text',
// exact: {type: 'md5', value}}; or to {ok: false, reason}. Never rejects.
export async function fingerprintPicture(blob) {
  try {
    const { square, width, height } = await readSquare(blob);
    const { value, quality } = pdq(square, SIDE, SIDE);
    const about = { width, height };
    const why = whyPoor({ square, width, height, value, quality });
    if (why === null) return { ok: true, kind: 'picture', about, signals: [{ type: 'pdq', value, quality }] };
    return { ok: true, kind: 'picture', about, poor: true, why, signals: [], exact: await exact(blob) };
  } catch (error) {
    return { ok: false, reason: error instanceof Refusal ? error.reason : 'unreadable' };
  }
}
