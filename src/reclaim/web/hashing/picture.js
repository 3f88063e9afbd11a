// One file to one signal: decode, luma, 512 x 512 square, PDQ.

import { eachLumaStrip, openBitmap, Refusal } from './decode.js';
import { pdq } from './pdq.js';
import { SquareResizer } from './resize.js';

export const SIDE = 512;

// bitmap: an ImageBitmap, which is closed. Returns SIDE * SIDE bytes.
export function squareLuma(bitmap) {
  try {
    const resizer = new SquareResizer(bitmap.width, bitmap.height, SIDE);
    eachLumaStrip(bitmap, (luma, rows) => resizer.add(luma, rows));
    return resizer.finish();
  } finally {
    bitmap.close();
  }
}

// Resolves to {ok: true, type: 'pdq', value, quality} or {ok: false, reason}; never rejects.
export async function fingerprintPicture(blob) {
  try {
    const { value, quality } = pdq(squareLuma(await openBitmap(blob)), SIDE, SIDE);
    return { ok: true, type: 'pdq', value, quality };
  } catch (error) {
    return { ok: false, reason: error instanceof Refusal ? error.reason : 'unreadable' };
  }
}
