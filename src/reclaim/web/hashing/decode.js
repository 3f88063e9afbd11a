// A file becomes luma: the browser decodes it, strips of it are drawn on one small canvas over white and read back.
// Nothing else in the page holds its pixels, and the decoded picture is released as soon as it has been read.

import { readHeader } from './header.js';
import { lumaFromRgba } from './luma.js';

const MOST_PIXELS = 200e6;
const MOST_BYTES = 256 * 1024 * 1024;
const STRIP_PIXELS = 1 << 17;
const TILE_WIDTH = 4096;

// Why a file has no fingerprint: 'empty', 'not-a-picture', 'too-large' or 'unreadable'.
export class Refusal extends Error {
  constructor(reason) {
    super(reason);
    this.name = 'Refusal';
    this.reason = reason;
  }
}

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

// Decodes the first frame upright and without colour management: Python reads the stored numbers too.
export async function openBitmap(blob) {
  if (blob.size === 0) throw new Refusal('empty');
  if (blob.size > MOST_BYTES) throw new Refusal('too-large');
  let header;
  try {
    header = await readHeader(blob);
  } catch {
    throw new Refusal('unreadable');
  }
  if (header && header.width * header.height > MOST_PIXELS) throw new Refusal('too-large');
  if (header && !header.complete) throw new Refusal('unreadable');
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'premultiply' });
  } catch {
    throw new Refusal(header ? 'unreadable' : 'not-a-picture');
  }
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    bitmap.close();
    throw new Refusal('too-large');
  }
  return bitmap;
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

// Calls visit(luma, rows) for each strip of full rows, from the top; luma is only valid during the call.
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
    if (x + width === whole) visit(luma, height);
  });
}
