// A decoded frame of a video to its square of luma. That is the decoder's own brightness stretched to 0..255, not the brightness
// of colours made from it: most videos do not say by which table to make colours, and every player guesses.

import { SIDE, squareLuma } from './picture.js';
import { SquareResizer } from './resize.js';
import { turned } from './turned.js';

const STRIP_ROWS = 64;

// Most videos leave the lowest sixteenth and the top twelfth of the scale unused.
const STRETCHED = Uint8ClampedArray.from({ length: 256 }, (_, stored) => ((stored - 16) * 255) / 219);

// Keeps its memory from frame to frame.
export class ShownFrames {
  constructor() {
    this.bytes = new Uint8Array(0);
    this.strip = new Uint8Array(0);
  }

  // frame: a VideoFrame, left open; degrees and flip: how to turn it upright. Resolves to SIDE * SIDE bytes.
  async square(frame, degrees, flip) {
    const kind = /^(?:I4\d\dA?|NV\d\d)(?:P(10|12))?$/.exec(frame.format);
    const square = kind
      ? await this._ofBrightness(frame, Number(kind[1] || 8))
      : squareLuma(await createImageBitmap(frame, { colorSpaceConversion: 'none' }));
    return turned(square, SIDE, degrees, flip);
  }

  async _ofBrightness(frame, bits) {
    const { width, height } = frame.visibleRect;
    const size = frame.allocationSize();
    if (this.bytes.length < size) this.bytes = new Uint8Array(size);
    const [plane] = await frame.copyTo(this.bytes);
    const resizer = new SquareResizer(width, height, SIDE);
    if (bits === 8) resizer.add(this.bytes.subarray(plane.offset), height, plane.stride);
    else this._addHighBits(resizer, plane, width, height, bits - 8);
    const square = resizer.finish();
    return frame.colorSpace.fullRange === true ? square : square.map((stored) => STRETCHED[stored]);
  }

  // Two bytes a pixel, of which the upper eight bits in use are taken.
  _addHighBits(resizer, plane, width, height, shift) {
    const stored = new Uint16Array(this.bytes.buffer, plane.offset);
    if (this.strip.length < width * STRIP_ROWS) this.strip = new Uint8Array(width * STRIP_ROWS);
    for (let top = 0; top < height; top += STRIP_ROWS) {
      const rows = Math.min(STRIP_ROWS, height - top);
      for (let row = 0; row < rows; row++) {
        const line = ((top + row) * plane.stride) / 2;
        for (let x = 0; x < width; x++) this.strip[row * width + x] = stored[line + x] >> shift;
      }
      resizer.add(this.strip, rows);
    }
  }
}
