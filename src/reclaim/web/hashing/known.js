// Pictures whose every pixel is known, made on the spot.

export const WIDTH = 320;
export const HEIGHT = 256;

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
export function knownBmp() {
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

// The brightness of one square of the known JPEG, of 8 x 8 pixels.
function knownShade(column, row) {
  return (Math.imul(column * 41 + row * 17 + 7, 2654435761) >>> 24) & 255;
}

// Brightness of the known JPEG, row by row.
export function knownLuma() {
  const at = (i) => knownShade((i % WIDTH) >> 3, Math.trunc(i / WIDTH) >> 3);
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => at(i));
}

// A JPEG of squares of one shade each, which every decoder gives exactly: no frequency but the lowest is in it, its steps
// are whole shades, and there is no colour.
export function knownJpeg() {
  const bytes = [0xff, 0xd8];
  const segment = (marker, ...content) => bytes.push(0xff, marker, 0, content.length + 2, ...content);
  segment(0xdb, 0, ...new Array(64).fill(8));
  segment(0xc0, 8, HEIGHT >> 8, HEIGHT & 255, WIDTH >> 8, WIDTH & 255, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0);
  // Lengths of differences 0..8 as codes of four bits; «nothing more in this square» as the code 0.
  segment(0xc4, 0, 0, 0, 0, 9, ...new Array(12).fill(0), 0, 1, 2, 3, 4, 5, 6, 7, 8);
  segment(0xc4, 0x10, 1, ...new Array(15).fill(0), 0);
  segment(0xda, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0);
  let bits = '';
  let last = 0;
  const square = (level) => {
    const change = level - last;
    last = level;
    const length = 32 - Math.clz32(Math.abs(change));
    const code = length ? (change > 0 ? change : change + 2 ** length - 1).toString(2).padStart(length, '0') : '';
    bits += length.toString(2).padStart(4, '0') + code + '0';
  };
  for (let row = 0; row < HEIGHT >> 3; row += 2) {
    for (let column = 0; column < WIDTH >> 3; column += 2) {
      for (const [x, y] of [[0, 0], [1, 0], [0, 1], [1, 1]]) square(knownShade(column + x, row + y) - 128);
      // Both colours: no change, nothing more.
      bits += '0000000000';
    }
  }
  bits += '1'.repeat(-bits.length & 7);
  for (let i = 0; i < bits.length; i += 8) {
    const byte = parseInt(bits.slice(i, i + 8), 2);
    bytes.push(byte);
    if (byte === 0xff) bytes.push(0);
  }
  bytes.push(0xff, 0xd9);
  return new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' });
}
