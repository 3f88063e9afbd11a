// A file becomes luma in strips, decoded by WebCodecs where that is what Python reads too, else by the browser and read
// back from one small canvas, else by libheif. Nothing else in the page holds its pixels, and the decoded picture is
// released as soon as it has been read.

import { fits, inTurn } from './budget.js';
import { canDecodeFrames, FramePicture } from './frame.js';
import { fetched } from './fetched.js';
import { readHeader } from './header.js';
import { lumaFromRgba } from './luma.js';
import { Refusal } from './refusal.js';

export { Refusal };

const MOST_PIXELS = 200e6;
const MOST_BYTES = 256 * 1024 * 1024;
const STRIP_PIXELS = 1 << 17;
const TILE_WIDTH = 4096;
// Bytes a pixel of a picture that the browser decodes and hands over without its colour profile.
const A_PIXEL = 8;

export function canDecode() {
  return typeof createImageBitmap === 'function' && canvasContext(1, 1) !== null;
}

// A canvas that is only ever read back, so it is kept in ordinary memory.
export function canvasContext(width, height) {
  let canvas;
  if (typeof OffscreenCanvas === 'function') {
    canvas = new OffscreenCanvas(width, height);
  } else if (typeof document === 'object') {
    canvas = Object.assign(document.createElement('canvas'), { width, height });
  } else {
    return null;
  }
  return canvas.getContext('2d', { willReadFrequently: true });
}

// Calls visit(rgba, x, y, width, height) for each tile of the picture over white, left to right and then down;
// rgba is only valid during the call.
export function eachTile(bitmap, visit) {
  const across = Math.min(bitmap.width, TILE_WIDTH);
  const down = Math.min(bitmap.height, Math.max(1, Math.floor(STRIP_PIXELS / across)));
  const context = canvasContext(across, down);
  context.fillStyle = '#fff';
  for (let y = 0; y < bitmap.height; y += down) {
    const height = Math.min(down, bitmap.height - y);
    for (let x = 0; x < bitmap.width; x += across) {
      const width = Math.min(across, bitmap.width - x);
      context.fillRect(0, 0, width, height);
      context.drawImage(bitmap, x, y, width, height, 0, 0, width, height);
      visit(context.getImageData(0, 0, width, height).data, x, y, width, height);
    }
  }
}

// Calls visit(luma, rows, stride) for each strip of full rows, from the top, `stride` bytes from row to row; luma is
// only valid during the call.
export function eachLumaStrip(bitmap, visit) {
  const whole = bitmap.width;
  let luma = null;
  eachTile(bitmap, (rgba, x, y, width, height) => {
    if (luma === null) luma = new Uint8Array(whole * height);
    if (width === whole) {
      lumaFromRgba(rgba, 0, width * height, luma, 0);
    } else {
      for (let row = 0; row < height; row++) lumaFromRgba(rgba, row * width, width, luma, row * whole + x);
    }
    if (x + width === whole) visit(luma, height, whole);
  });
}

// What the browser decodes, upright and without colour management: Python reads the stored numbers too.
class BitmapPicture {
  static async open(blob) {
    return new BitmapPicture(await openBitmap(blob));
  }

  constructor(bitmap) {
    Object.assign(this, { bitmap, width: bitmap.width, height: bitmap.height, degrees: 0, flip: false });
  }

  async eachStrip(visit) {
    eachLumaStrip(this.bitmap, visit);
  }

  close() {
    this.bitmap.close();
  }
}

export function openBitmap(blob) {
  return createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'premultiply' });
}

async function judgedHeader(blob) {
  if (blob.size === 0) throw new Refusal('empty');
  if (blob.size > MOST_BYTES) throw new Refusal('too-large');
  let header;
  try {
    header = await readHeader(blob);
  } catch {
    throw new Refusal('unreadable');
  }
  const known = header || { format: 'unknown', width: 0, height: 0, complete: true };
  if (known.width * known.height > MOST_PIXELS) throw new Refusal('too-large');
  if (!known.complete) throw new Refusal('truncated');
  return known;
}

// Why what could not be decoded could not.
async function reasonOf({ format, short }) {
  if (format === 'unknown') return 'not-a-picture';
  if (short) return 'truncated';
  if (format !== 'avif' && format !== 'tiff') return 'unreadable';
  const known = typeof ImageDecoder === 'function' && (await ImageDecoder.isTypeSupported(`image/${format}`));
  return known ? 'unreadable' : 'unsupported';
}

async function opened(blob, header, inFrames) {
  const picture = inFrames ? await FramePicture.open(blob, header.format) : null;
  if (picture !== null) return picture;
  try {
    return await BitmapPicture.open(blob);
  } catch {
    if (header.format !== 'heic') throw new Refusal(await reasonOf(header));
  }
  const { HeifPicture } = await fetched(() => import('./heif.js'));
  return HeifPicture.open(blob, MOST_PIXELS);
}

// Decodes the first frame of a picture; use(picture) has it until what it returns resolves, and that is what is
// resolved to. A picture has
//   width, height        as decoded
//   degrees, flip        how to turn it upright: clockwise, then mirrored left to right
//   eachStrip(visit)     resolves when visit(luma, rows, stride) has been called for each strip of full rows, from the
//                        top, `stride` bytes from row to row; luma is only valid during the call.
// Rejects with Refusal, or as use does.
export async function withPicture(blob, use) {
  const header = await judgedHeader(blob);
  const inFrames = canDecodeFrames(header.format);
  const needed = header.width * header.height * (inFrames && header.planes ? header.planes : A_PIXEL) + blob.size;
  if (!fits(needed)) throw new Refusal('too-large');
  return inTurn(needed, async () => {
    const picture = await opened(blob, header, inFrames);
    try {
      if (picture.width * picture.height > MOST_PIXELS) throw new Refusal('too-large');
      return await use(picture);
    } finally {
      picture.close();
    }
  });
}
