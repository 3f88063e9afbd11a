// Pictures decoded by WebCodecs, read in strips from the decoder's own memory: no canvas, no copy of the whole. Of a JPEG
// that is its brightness as it is stored, which is what Python reads too.

import { lumaFromRgba } from './luma.js';

const STRIP_PIXELS = 1 << 18;
const TYPES = { jpeg: 'image/jpeg', png: 'image/png', gif: 'image/gif', bmp: 'image/bmp' };
// Where red and blue are in the four bytes of a pixel.
const COLOURS = { RGBX: false, BGRX: true };

export function canDecodeFrames(format) {
  return format in TYPES && typeof ImageDecoder === 'function';
}

// Whether the decoder's numbers are used: brightness that fills 0..255 and nothing else, or opaque colours. A browser
// that does not say how to turn the picture upright is not asked.
function isReadable({ format, rotation, colorSpace }) {
  const brightness = /^I4(?:20|22|44)$/.test(format) && colorSpace.fullRange === true && colorSpace.matrix === 'smpte170m';
  return (brightness || format in COLOURS) && rotation !== undefined;
}

export class FramePicture {
  // format: a word for which canDecodeFrames holds. Resolves to null if the browser decodes this picture in a way that
  // is not used here, or cannot decode it.
  static async open(blob, format) {
    const data = await blob.arrayBuffer();
    const settings = { data, type: TYPES[format], colorSpaceConversion: 'none', transfer: [data] };
    let decoder = null;
    try {
      decoder = new ImageDecoder(settings);
      const { image } = await decoder.decode();
      if (isReadable(image)) return new FramePicture(image);
      image.close();
    } catch {
      // The other way tells whether it is a picture at all.
    } finally {
      decoder?.close();
    }
    return null;
  }

  constructor(frame) {
    this.frame = frame;
    this.width = frame.visibleRect.width;
    this.height = frame.visibleRect.height;
    this.degrees = frame.rotation;
    this.flip = frame.flip;
  }

  // Calls visit(luma, rows, stride) for each strip of full rows, from the top, `stride` bytes from row to row; luma is
  // only valid during the call.
  async eachStrip(visit) {
    const { width, height, frame } = this;
    const [left, top] = [frame.visibleRect.x, frame.visibleRect.y];
    // Colour is stored for two rows at once.
    const most = Math.max(2, Math.floor(STRIP_PIXELS / width) & ~1);
    const strip = (y) => ({ rect: { x: left, y: top + y, width, height: Math.min(most, height - y) } });
    const bytes = new Uint8Array(frame.allocationSize(strip(0)));
    const luma = frame.format in COLOURS ? new Uint8Array(width * most) : null;
    for (let y = 0; y < height; y += most) {
      const rows = Math.min(most, height - y);
      const [plane] = await frame.copyTo(bytes, strip(y));
      if (luma === null) {
        visit(bytes.subarray(plane.offset), rows, plane.stride);
      } else {
        for (let row = 0; row < rows; row++) {
          lumaFromRgba(bytes, (plane.offset + row * plane.stride) / 4, width, luma, row * width, COLOURS[frame.format]);
        }
        visit(luma, rows, width);
      }
    }
  }

  close() {
    this.frame.close();
  }
}
