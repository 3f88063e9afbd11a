// A decoded frame of a video to its square luma. That is the decoder's own brightness stretched to 0..255, not the
// brightness of colours made from it: most videos do not say by which table to make colours, and every player guesses.

import { pdq } from './pdq.js';
import { SIDE, squareLuma } from './picture.js';
import { SquareResizer } from './resize.js';

const STRIP_ROWS = 64;

// What each stored brightness stands for. Most videos leave the lowest sixteenth and the top twelfth unused.
function scale(bits, fullRange) {
  const count = 2 ** bits;
  const black = fullRange ? 0 : count / 16;
  const white = fullRange ? count - 1 : (count * 235) / 256;
  return Uint8ClampedArray.from({ length: count }, (_, stored) => ((stored - black) * 255) / (white - black));
}

// Turns a square clockwise by 0, 90, 180 or 270 degrees, and mirrors it left to right after that.
function turned(square, degrees, flip) {
  if (degrees === 0 && !flip) return square;
  const last = SIDE - 1;
  const out = new Uint8Array(square.length);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const across = flip ? last - x : x;
      let from = y * SIDE + across;
      if (degrees === 90) from = (last - across) * SIDE + y;
      if (degrees === 180) from = (last - y) * SIDE + last - across;
      if (degrees === 270) from = across * SIDE + last - y;
      out[y * SIDE + x] = square[from];
    }
  }
  return out;
}

// Keeps its memory from frame to frame.
export class ShownFrames {
  constructor() {
    this.bytes = new Uint8Array(0);
    this.strip = new Uint8Array(0);
    this.scales = new Map();
  }

  // frame: a VideoFrame, left open; degrees and flip: how to turn it upright. Resolves to {value, quality}.
  async pdq(frame, degrees, flip) {
    const kind = /^(?:I4\d\dA?|NV\d\d)(?:P(10|12))?$/.exec(frame.format);
    const square = kind
      ? await this._ofBrightness(frame, Number(kind[1] || 8))
      : squareLuma(await createImageBitmap(frame, { colorSpaceConversion: 'none' }));
    return pdq(turned(square, degrees, flip), SIDE, SIDE);
  }

  async _ofBrightness(frame, bits) {
    const { width, height } = frame.visibleRect;
    const size = frame.allocationSize();
    if (this.bytes.length < size) this.bytes = new Uint8Array(size);
    const [plane] = await frame.copyTo(this.bytes);
    const wide = bits > 8;
    const stored = wide ? new Uint16Array(this.bytes.buffer, plane.offset) : this.bytes.subarray(plane.offset);
    const stride = wide ? plane.stride / 2 : plane.stride;
    const shades = this._scale(bits, frame.colorSpace.fullRange === true);
    if (this.strip.length < width * STRIP_ROWS) this.strip = new Uint8Array(width * STRIP_ROWS);
    const { strip } = this;
    const resizer = new SquareResizer(width, height, SIDE);
    for (let top = 0; top < height; top += STRIP_ROWS) {
      const rows = Math.min(STRIP_ROWS, height - top);
      for (let row = 0; row < rows; row++) {
        const line = (top + row) * stride;
        const out = row * width;
        for (let x = 0; x < width; x++) strip[out + x] = shades[stored[line + x]];
      }
      resizer.add(strip, rows);
    }
    return resizer.finish();
  }

  _scale(bits, fullRange) {
    const name = `${bits} ${fullRange}`;
    if (!this.scales.has(name)) this.scales.set(name, scale(bits, fullRange));
    return this.scales.get(name);
  }
}
