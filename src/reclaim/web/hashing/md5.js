// MD5 of a whole file, read piece by piece: what is in memory at a time does not depend on how large the file is.

import '../vendor/hash-wasm/md5.umd.min.js';

// The library comes as a script that makes one global of itself.
const { createMD5 } = globalThis.hashwasm;
const PIECE_BYTES = 4 * 1024 * 1024;

// step(part), if any, is awaited after each piece, part being 0..1. Resolves to 32 hexadecimal digits; rejects if the file
// cannot be read.
export async function md5(blob, step = async () => {}) {
  const digest = await globalThis.hashwasm.createMD5();
  for (let at = 0; at < blob.size; at += PIECE_BYTES) {
    digest.update(new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer()));
    await step(Math.min(1, (at + PIECE_BYTES) / blob.size));
  }
  return digest.digest('hex');
}
