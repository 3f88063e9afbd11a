// Some browsers answer a page that reads pixels back with slightly or wholly wrong ones, so that the page cannot
// recognise the device. A fingerprint made from such pixels looks perfect and finds nothing. So pictures whose every
// pixel is known go each of the ways that files go, and must come back exact.

import { canDecode, eachTile, openBitmap } from './decode.js';
import { canDecodeFrames, FramePicture } from './frame.js';
import { HEIGHT, knownBmp, knownJpeg, knownLuma, knownPixels, WIDTH } from './known.js';
import { lumaFromRgba } from './luma.js';
import { fingerprintPicture } from './picture.js';

const EXPECTED = {
  value: '1cb16186cdc2133dee40329e56bb45b0cb6755a8fb53d2e7d42f9168a64ca3cc',
  quality: 100,
};

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

function lumaOfKnownPixels() {
  const rgb = knownPixels();
  const rgba = Uint8Array.from({ length: WIDTH * HEIGHT * 4 }, (_, i) => rgb[(i >> 2) * 3 + (i & 3)]);
  const luma = new Uint8Array(WIDTH * HEIGHT);
  lumaFromRgba(rgba, 0, luma.length, luma, 0);
  return luma;
}

// Whether a decoded frame gives this luma; also if this browser's frames are not used, so that files go the other way.
async function framesAreExact(blob, format, luma) {
  const picture = canDecodeFrames(format) ? await FramePicture.open(blob, format) : null;
  if (picture === null) return true;
  let exact = picture.width === WIDTH && picture.height === HEIGHT;
  let top = 0;
  try {
    await picture.eachStrip((strip, rows, stride) => {
      for (let i = 0; i < rows * WIDTH; i++) {
        if (strip[Math.trunc(i / WIDTH) * stride + (i % WIDTH)] !== luma[top * WIDTH + i]) exact = false;
      }
      top += rows;
    });
  } catch {
    exact = false;
  }
  picture.close();
  return exact && top === HEIGHT;
}

// Resolves to {ok, reason}: 'ok'; 'canvas-falsified' if pixels come back changed or are withheld; 'unsupported' if
// this browser lacks what is needed or computes another fingerprint than the known one. Never rejects.
export async function selfTest() {
  if (!canDecode()) return { ok: false, reason: 'unsupported' };
  const bmp = knownBmp();
  let bitmap;
  try {
    bitmap = await openBitmap(bmp);
  } catch {
    return { ok: false, reason: 'unsupported' };
  }
  const exact =
    readsBackExactly(bitmap) &&
    (await framesAreExact(bmp, 'bmp', lumaOfKnownPixels())) &&
    (await framesAreExact(knownJpeg(), 'jpeg', knownLuma()));
  if (!exact) return { ok: false, reason: 'canvas-falsified' };
  const { signals } = await fingerprintPicture(bmp);
  const same = signals && signals.length && signals[0].value === EXPECTED.value && signals[0].quality === EXPECTED.quality;
  return same ? { ok: true, reason: 'ok' } : { ok: false, reason: 'unsupported' };
}
