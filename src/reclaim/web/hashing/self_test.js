// Some browsers answer a page that reads a canvas back with slightly or wholly wrong pixels, so that the page cannot
// recognise the device. A fingerprint made from such pixels looks perfect and finds nothing. So a picture whose every
// pixel is known goes the way that files go, and must come back exact.

import { canDecode, eachTile, openBitmap } from './decode.js';
import { fingerprintPicture } from './picture.js';

const WIDTH = 320;
const HEIGHT = 256;
const EXPECTED = {
  value: '1cb16186cdc2133dee40329e56bb45b0cb6755a8fb53d2e7d42f9168a64ca3cc',
  quality: 100,
};

// Broad shapes, which give the fingerprint something to hold, under grain, which flat-colour exceptions of a
// falsifying browser do not cover.
export function knownPixels() {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  let grain = 1;
  for (let i = 0; i < rgb.length; i++) {
    grain = (Math.imul(grain, 1664525) + 1013904223) >>> 0;
    const x = Math.trunc(i / 3) % WIDTH;
    const y = Math.trunc(i / 3 / WIDTH);
    const shape = ((x * x + 3 * y * y) >> 9) ^ ((x >> 5) * (y >> 6) * 11);
    rgb[i] = ((shape * (2 + (i % 3))) & 191) + (grain >>> 26);
  }
  return rgb;
}

// The known pixels as a BMP: uncompressed, rows from the bottom, blue first.
function knownPicture() {
  const rgb = knownPixels();
  const file = new Uint8Array(54 + rgb.length);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x424d);
  view.setUint32(2, file.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, WIDTH, true);
  view.setInt32(22, HEIGHT, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let i = 0; i < rgb.length; i++) {
    const row = Math.trunc(i / 3 / WIDTH);
    const column = i - row * WIDTH * 3;
    file[54 + (HEIGHT - 1 - row) * WIDTH * 3 + column - (column % 3) + 2 - (column % 3)] = rgb[i];
  }
  return new Blob([file], { type: 'image/bmp' });
}

// Closes the bitmap. A browser that refuses to read a canvas back counts as one that falsifies it.
function readsBackExactly(bitmap) {
  const rgb = knownPixels();
  let exact = bitmap.width === WIDTH && bitmap.height === HEIGHT;
  try {
    eachTile(bitmap, (rgba, left, top, width, height) => {
      for (let i = 0; i < width * height * 4; i++) {
        const at = (top + Math.trunc(i / 4 / width)) * WIDTH + left + (Math.trunc(i / 4) % width);
        if (rgba[i] !== (i % 4 === 3 ? 255 : rgb[at * 3 + (i % 4)])) exact = false;
      }
    });
  } catch {
    exact = false;
  }
  bitmap.close();
  return exact;
}

// Resolves to {ok, reason}: 'ok'; 'canvas-falsified' if pixels come back changed or are withheld; 'unsupported' if
// this browser lacks what is needed or computes another fingerprint than the known one. Never rejects.
export async function selfTest() {
  if (!canDecode()) return { ok: false, reason: 'unsupported' };
  const blob = knownPicture();
  let bitmap;
  try {
    bitmap = await openBitmap(blob);
  } catch {
    return { ok: false, reason: 'unsupported' };
  }
  if (!readsBackExactly(bitmap)) return { ok: false, reason: 'canvas-falsified' };
  const made = await fingerprintPicture(blob);
  const same = made.ok && made.value === EXPECTED.value && made.quality === EXPECTED.quality;
  return same ? { ok: true, reason: 'ok' } : { ok: false, reason: 'unsupported' };
}
