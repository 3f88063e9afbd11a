// Brightness of pixels, in the integer arithmetic that Pillow's convert("L") uses (weights in 65536ths).

// rgba: opaque pixels of a canvas, a Uint8Array or Uint8ClampedArray of R, G, B, A bytes starting at a multiple of
// four bytes. Writes `count` values 0..255 to `out` from `at` on. Four bytes are read as one little-endian number,
// the order of every machine that runs a browser.
export function lumaFromRgba(rgba, from, count, out, at) {
  const pixels = new Int32Array(rgba.buffer, rgba.byteOffset + from * 4, count);
  for (let i = 0; i < count; i++) {
    const p = pixels[i];
    const green = Math.imul((p >> 8) & 255, 38470);
    out[at + i] = (Math.imul(p & 255, 19595) + green + Math.imul((p >> 16) & 255, 7471) + 0x8000) >> 16;
  }
}
