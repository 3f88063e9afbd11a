// Brightness of pixels, in the integer arithmetic that Pillow's convert("L") uses (weights in 65536ths).

// rgba: opaque pixels, a Uint8Array or Uint8ClampedArray of R, G, B, A bytes starting at a multiple of four bytes; of B, G,
// R, A with blueFirst. Writes `count` values 0..255 to `out` from `at` on, for the pixels from the `from`-th. Four bytes
// are read as one little-endian number, the order of every machine that runs a browser.
export function lumaFromRgba(rgba, from, count, out, at, blueFirst = false) {
  const pixels = new Int32Array(rgba.buffer, rgba.byteOffset + from * 4, count);
  const [first, third] = blueFirst ? [7471, 19595] : [19595, 7471];
  for (let i = 0; i < count; i++) {
    const p = pixels[i];
    const green = Math.imul((p >> 8) & 255, 38470);
    out[at + i] = (Math.imul(p & 255, first) + green + Math.imul((p >> 16) & 255, third) + 0x8000) >> 16;
  }
}
